{{/* Variables of the processor, as the Job that checks a configuration needs them too. */}}
{{- define "semantic-router.env" -}}
{{- $env := list -}}
{{- with .Values.adminToken -}}
{{- if .secretName -}}
{{- $env = append $env (dict "name" "ADMIN_TOKEN" "valueFrom" (dict "secretKeyRef" (dict "name" .secretName "key" .key))) -}}
{{- end -}}
{{- end -}}
{{- range .Values.secretEnv -}}
{{- $env = append $env (dict "name" .name "valueFrom" (dict "secretKeyRef" (dict "name" .secretName "key" .key))) -}}
{{- end -}}
{{- with concat $env .Values.extraEnv -}}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The processor. In `sidecar` mode an init container that goes on: Envoy starts when it is ready and ends before it. */}}
{{- define "semantic-router.processor" -}}
{{- $isSidecar := eq .Values.mode "sidecar" -}}
name: router
image: {{ include "semantic-router.image" (list .Values.image .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if $isSidecar }}
restartPolicy: Always
{{- end }}
args:
  - serve
  - --config
  - /config/config.yaml
  - --listen
  - {{ ternary "unix:/run/semantic-router/router.sock" (include "semantic-router.hostPort" (list .Values.listenAddress 50051)) $isSidecar | quote }}
  - --status-listen
  - {{ include "semantic-router.hostPort" (list .Values.listenAddress 9190) | quote }}
  - --admin-listen
  - 127.0.0.1:9191
  {{- with .Values.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with include "semantic-router.env" . | trim }}
{{ . }}
{{- end }}
ports:
  {{- if not $isSidecar }}
  - { name: grpc, containerPort: 50051 }
  {{- end }}
  - { name: status, containerPort: 9190 }
startupProbe:
  httpGet: { path: /readyz, port: status }
  periodSeconds: 1
  failureThreshold: {{ int .Values.startupSeconds }}
readinessProbe:
  httpGet: { path: /readyz, port: status }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /livez, port: status }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- if not $isSidecar }}
lifecycle:
  preStop:
    sleep: { seconds: {{ int .Values.preStopSeconds }} }
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - { name: config, mountPath: /config, readOnly: true }
  {{- if $isSidecar }}
  - { name: socket, mountPath: /run/semantic-router }
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "semantic-router.envoyContainer" -}}
name: envoy
image: {{ include "semantic-router.image" (list .Values.envoy.image "") | quote }}
imagePullPolicy: {{ .Values.envoy.image.pullPolicy }}
command: [envoy]
args:
  - --config-path
  - /config/envoy.yaml
  - --concurrency
  - {{ int .Values.envoy.concurrency | quote }}
  - --log-level
  - {{ .Values.envoy.logLevel | quote }}
  - --disable-hot-restart
  # With the first answer after the start of the drain, and not only with some, clients are told to connect elsewhere.
  - --drain-strategy
  - immediate
  # The listeners stay open until the process ends.
  - --drain-time-s
  - {{ include "semantic-router.envoyDrainSeconds" . | quote }}
ports:
  - { name: http, containerPort: 8801 }
startupProbe:
  exec:
    command:
      - bash
      - -c
      - |
        {{- .Files.Get "files/ready.sh" | trim | nindent 8 }}
      - ready
      - "19000"
  periodSeconds: 1
  timeoutSeconds: 2
  # An endpoint whose name DNS never answers holds Envoy back for a minute: it must not be started anew over that.
  failureThreshold: 180
readinessProbe:
  exec:
    command:
      - bash
      - -c
      - |
        {{- .Files.Get "files/ready.sh" | trim | nindent 8 }}
      - ready
      - "19000"
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  exec:
    command:
      - bash
      - -c
      - |
        {{- .Files.Get "files/ready.sh" | trim | nindent 8 }}
      - alive
      - "19000"
      # Any answer will do: an Envoy that drains is not ready, and must not be killed for it.
      - any
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
lifecycle:
  preStop:
    exec:
      command:
        - bash
        - -c
        - |
          {{- .Files.Get "files/drain.sh" | trim | nindent 10 }}
        - drain
        - "19000"
        - {{ int .Values.preStopSeconds | quote }}
        - {{ int .Values.envoy.drainSeconds | quote }}
resources:
  {{- toYaml .Values.envoy.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - { name: config, mountPath: /config, readOnly: true }
  {{- if eq .Values.mode "sidecar" }}
  - { name: socket, mountPath: /run/semantic-router }
  {{- end }}
{{- end -}}

{{/* The longest that the drain of Envoy takes, in seconds. */}}
{{- define "semantic-router.envoyDrainSeconds" -}}
{{- add (int .Values.preStopSeconds) (int .Values.envoy.drainSeconds) -}}
{{- end -}}

{{/*
Prefix of all names, in letters that a Service may have too: a release's name may have dots. 40 characters leave room for
the longest suffix within the 63 of a label; what is cut ends with a digest of the whole, so that two stay apart.
*/}}
{{- define "semantic-router.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $whole := printf "%s-%s" .Release.Name $name -}}
{{- if .Values.fullnameOverride -}}
{{- $whole = .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- $whole = .Release.Name -}}
{{- end -}}
{{- $whole = $whole | replace "." "-" | trimAll "-" -}}
{{- if gt (len $whole) 40 -}}
{{- printf "%s-%s" ($whole | trunc 33 | trimAll "-") (sha256sum $whole | trunc 6) -}}
{{- else -}}
{{- $whole -}}
{{- end -}}
{{- end -}}

{{/* The processor's Deployment, and the component in its labels: another name in each shape, for a selector never changes. */}}
{{- define "semantic-router.component" -}}
{{- ternary "router" "processor" (eq .Values.mode "sidecar") -}}
{{- end -}}

{{- define "semantic-router.deployment" -}}
{{- $fullname := include "semantic-router.fullname" . -}}
{{- ternary $fullname (printf "%s-processor" $fullname) (eq .Values.mode "sidecar") -}}
{{- end -}}

{{/*
The processor's Service. An address that it has cannot be taken away, nor given where it has none: so the one with a
virtual address is another Service.
*/}}
{{- define "semantic-router.processorService" -}}
{{- $isVirtual := and (eq .Values.mode "standalone") (not .Values.processorService.headless) -}}
{{- printf "%s-processor%s" (include "semantic-router.fullname" .) (ternary "-vip" "" $isVirtual) -}}
{{- end -}}

{{/* No value changes them, for a Deployment's selector cannot be changed. Argument: list of the root and the component. */}}
{{- define "semantic-router.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: "semantic-router"
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 | quote }}
{{- end -}}

{{/* Argument: list of the root and the component. */}}
{{- define "semantic-router.labels" -}}
{{- $root := index . 0 -}}
{{ include "semantic-router.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | quote }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Argument: an image section, and the tag where it names none. */}}
{{- define "semantic-router.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default (index . 1) $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "semantic-router.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "semantic-router.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* An address and a port as one text. Argument: both. */}}
{{- define "semantic-router.hostPort" -}}
{{- $host := index . 0 -}}
{{- printf (ternary "[%s]:%d" "%s:%d" (contains ":" $host)) $host (int (index . 1)) -}}
{{- end -}}

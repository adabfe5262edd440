{{/* What the schema cannot say. Every sentence names the value and what to do. */}}
{{- define "semantic-router.checks" -}}
{{- $config := .Values.config -}}
{{- $server := default dict $config.server -}}
{{- if hasKey $server "listen" -}}
{{- fail "config.server.listen is the chart's own: remove it (the processor listens where its Envoy looks for it)" -}}
{{- end -}}
{{- if hasKey $server "status_listen" -}}
{{- fail "config.server.status_listen is the chart's own: remove it (probes and /readyz are on port 9190)" -}}
{{- end -}}
{{- if hasKey (default dict $config.admin) "listen" -}}
{{- fail "config.admin.listen is the chart's own: remove it (the admin server is on 127.0.0.1:9191 in the pod)" -}}
{{- end -}}
{{- range $option := list "--listen" "--status-listen" "--admin-listen" "--config" -}}
{{- range $argument := $.Values.extraArgs -}}
{{- if or (eq $argument $option) (hasPrefix (printf "%s=" $option) $argument) -}}
{{- fail (printf "extraArgs: %s is the chart's own: remove it" $option) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- include "semantic-router.endpointChecks" . -}}
{{- $token := toString (default "" (default dict $config.admin).token) -}}
{{- if and $token (not (contains "${" $token)) -}}
{{- fail "config.admin.token is written out, and config is no place for a secret: put the token into a Secret and name that in adminToken.secretName" -}}
{{- end -}}

{{- $reserved := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" -}}
{{- range $value, $labels := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels -}}
{{- range $label, $_ := $labels -}}
{{- if has $label $reserved -}}
{{- fail (printf "%s: the label %s is the chart's own: remove it" $value $label) -}}
{{- end -}}
{{- if and (eq $value "podLabels") (hasKey $.Values.commonLabels $label) -}}
{{- fail (printf "the label %s is in both commonLabels and podLabels: remove one of them" $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- range $annotation := list "checksum/envoy" "kubectl.kubernetes.io/default-container" -}}
{{- if hasKey $.Values.podAnnotations $annotation -}}
{{- fail (printf "podAnnotations: the annotation %s is the chart's own: remove it" $annotation) -}}
{{- end -}}
{{- end -}}

{{- $names := list -}}
{{- if .Values.adminToken.secretName -}}
{{- $names = append $names "ADMIN_TOKEN" -}}
{{- end -}}
{{- range concat .Values.secretEnv .Values.extraEnv -}}
{{- if has .name $names -}}
{{- fail (printf "the variable %s is given twice, by adminToken, secretEnv or extraEnv: remove one of them" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}

{{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") -}}
{{- fail "service.nodePort needs service.type NodePort or LoadBalancer, not ClusterIP" -}}
{{- end -}}
{{- if and (eq .Values.mode "standalone") .Values.processorService.headless (ne (int .Values.processorService.port) 50051) -}}
{{- fail "processorService.port can only be 50051 while processorService.headless is true: there Envoy connects to the pods themselves" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- $scaled := dict "resources" .Values.resources -}}
{{- if eq .Values.mode "sidecar" -}}
{{- $_ := set $scaled "envoy.resources" .Values.envoy.resources -}}
{{- end -}}
{{- range $value, $resources := $scaled -}}
{{- if not (or (default dict $resources.requests).cpu (default dict $resources.limits).cpu) -}}
{{- fail (printf "autoscaling.enabled needs %s.requests.cpu, whatever autoscaling.metrics adds: the use of CPU is measured by it" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.envoyGateway.enabled -}}
{{- if ne .Values.mode "standalone" -}}
{{- fail (printf "envoyGateway.enabled needs mode: standalone, not %s, which brings an Envoy of its own" .Values.mode) -}}
{{- end -}}
{{- if not (or .Values.envoyGateway.gateway.create .Values.envoyGateway.gateway.name) -}}
{{- fail "envoyGateway.gateway.name must name the Gateway, as envoyGateway.gateway.create is false" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* In every mode, and before Envoy's configuration is made from the endpoints. */}}
{{- define "semantic-router.endpointChecks" -}}
{{- range $i, $endpoint := default list .Values.config.vllm_endpoints -}}
{{- if not (kindIs "map" $endpoint) -}}
{{- fail (printf "config.vllm_endpoints[%d] is empty: give it name, address and port, or remove it" $i) -}}
{{- end -}}
{{- if hasPrefix "[" (toString $endpoint.address) -}}
{{- fail (printf "config.vllm_endpoints[%d].address: write the IPv6 address without brackets, not %q" $i $endpoint.address) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The router's configuration as it is written to config.yaml: that of the values, and what otlp and adminToken add. */}}
{{- define "semantic-router.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- with .Values.otlp.endpoint -}}
{{- $observability := default dict $config.observability -}}
{{- $tracing := default dict $observability.tracing -}}
{{- $exporter := default dict $tracing.exporter -}}
{{- range list "type" "endpoint" "insecure" "protocol" -}}
{{- if hasKey $exporter . -}}
{{- fail (printf "otlp.endpoint and config.observability.tracing.exporter.%s both say where traces go: remove one of them" .) -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey $tracing "enabled") (ne (toString $tracing.enabled) "true") -}}
{{- fail "otlp.endpoint switches tracing on and config.observability.tracing.enabled does not: remove one of them" -}}
{{- end -}}
{{- $_ := set $exporter "type" "otlp" -}}
{{- $_ := set $exporter "endpoint" . -}}
{{- $_ := set $exporter "insecure" $.Values.otlp.insecure -}}
{{- with $.Values.otlp.protocol -}}
{{- $_ := set $exporter "protocol" . -}}
{{- end -}}
{{- $_ := set $tracing "enabled" true -}}
{{- $_ := set $tracing "exporter" $exporter -}}
{{- $_ := set $observability "tracing" $tracing -}}
{{- $_ := set $config "observability" $observability -}}
{{- end -}}
{{- if .Values.adminToken.secretName -}}
{{- $admin := default dict $config.admin -}}
{{- if hasKey $admin "token" -}}
{{- fail "adminToken.secretName and config.admin.token are both set: remove one of them" -}}
{{- end -}}
{{- $_ := set $admin "token" "${ADMIN_TOKEN}" -}}
{{- $_ := set $config "admin" $admin -}}
{{- end -}}
{{- if ne (include "semantic-router.drainGiven" .) "true" -}}
{{- if ne .Values.mode "sidecar" -}}
{{- $_ := set $config "server" (merge (dict "drain_seconds" (int .Values.envoy.drainSeconds)) (default dict $config.server)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* "true" where the configuration itself says how long the processor's drain may take. */}}
{{- define "semantic-router.drainGiven" -}}
{{- $given := (default dict .Values.config.server).drain_seconds -}}
{{- not (or (kindIs "invalid" $given) (eq (toString $given) "")) -}}
{{- end -}}

{{/*
Seconds that exchanges under way are given by a processor that ends. Where the configuration does not say: its own 20
beside an Envoy, which has waited for them already; elsewhere what Envoy gives answers, for here nobody else waits.
*/}}
{{- define "semantic-router.drainSeconds" -}}
{{- $given := (default dict .Values.config.server).drain_seconds -}}
{{- if ne (include "semantic-router.drainGiven" .) "true" -}}
{{- ternary 20 (int .Values.envoy.drainSeconds) (eq .Values.mode "sidecar") -}}
{{- else if kindIs "string" $given -}}
{{- fail (printf "config.server.drain_seconds must be a number, not %q: how long a pod may take to end is computed from it" $given) -}}
{{- else -}}
{{- int $given -}}
{{- end -}}
{{- end -}}

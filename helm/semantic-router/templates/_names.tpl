{{/* Prefix of all names. 40 characters leave room for the longest suffix within the 63 of a label. */}}
{{- define "semantic-router.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
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

{{/* Argument: list of the root and the component. */}}
{{- define "semantic-router.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | quote }}
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

{{/*
Metadata of a pod: without the labels of versions, for a new release of the chart alone restarts nothing. Argument: the
root, the component, and the chart's annotations.
*/}}
{{- define "semantic-router.podMetadata" -}}
{{- $root := index . 0 -}}
labels:
  {{- include "semantic-router.selectorLabels" (list $root (index . 1)) | nindent 2 }}
  {{- with merge (deepCopy $root.Values.commonLabels) $root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (index . 2) $root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What all pods have alike. Argument: the root and the component. */}}
{{- define "semantic-router.podSpec" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $selector := dict "labelSelector" (dict "matchLabels" (include "semantic-router.selectorLabels" (list $root $component) | fromYaml)) }}
  {{- range . }}
  - {{- toYaml (merge (deepCopy .) (ternary dict $selector (hasKey . "labelSelector"))) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "semantic-router.strategy" -}}
strategy:
  # A pod goes when the one in its place is ready.
  rollingUpdate: { maxUnavailable: 0, maxSurge: 25% }
{{- end -}}

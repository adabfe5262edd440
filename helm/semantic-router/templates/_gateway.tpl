{{/* Name of the Gateway that is made or attached to. */}}
{{- define "semantic-router.gateway" -}}
{{- default (include "semantic-router.fullname" .) .Values.envoyGateway.gateway.name -}}
{{- end -}}

{{/* The HTTP connection manager of files/envoy.yaml: the policies of Envoy Gateway say the same in other words. */}}
{{- define "semantic-router.manager" -}}
{{- $listener := index (.Files.Get "files/envoy.yaml" | fromYaml).static_resources.listeners 0 -}}
{{- (index (index $listener.filter_chains 0).filters 0).typed_config | toYaml -}}
{{- end -}}

{{- define "semantic-router.bodyLimit" -}}
{{- (index (.Files.Get "files/envoy.yaml" | fromYaml).static_resources.listeners 0).per_connection_buffer_limit_bytes | int64 -}}
{{- end -}}

{{/* The answer to what nobody routed. */}}
{{- define "semantic-router.unrouted" -}}
{{- $manager := include "semantic-router.manager" . | fromYaml -}}
{{- (last (index $manager.route_config.virtual_hosts 0).routes).direct_response | toYaml -}}
{{- end -}}

{{/* Name of an endpoint's Backend: endpoints may have names that no object can. Argument: the root and the endpoint. */}}
{{- define "semantic-router.backend" -}}
{{- printf "%s-%s" (include "semantic-router.fullname" (index . 0)) (sha256sum (index . 1).name | trunc 10) -}}
{{- end -}}

{{/* All HTTPRoutes, as the targets of a policy. */}}
{{- define "semantic-router.routeRefs" -}}
{{- $endpoints := include "semantic-router.endpoints" . | fromYamlArray -}}
{{- range $i, $_ := concat (list (list)) (chunk 16 $endpoints) }}
- { group: gateway.networking.k8s.io, kind: HTTPRoute, name: {{ include "semantic-router.fullname" $ }}-{{ $i }} }
{{- end }}
{{- end -}}

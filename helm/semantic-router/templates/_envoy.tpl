{{/*
Envoy's configuration for the endpoints of the router's, made from files/envoy.yaml as the command `envoy render` makes
it, in three files: the bootstrap, and routes and clusters that Envoy reads again when they change. As YAML with the
keys bootstrap, rds and cds.
*/}}
{{- define "semantic-router.envoy" -}}
{{- $doc := .Files.Get "files/envoy.yaml" | fromYaml -}}
{{- $endpoints := include "semantic-router.endpoints" . | fromYamlArray -}}
{{- $listener := index $doc.static_resources.listeners 0 -}}
{{- $manager := (index (index $listener.filter_chains 0).filters 0).typed_config -}}
{{- $routes := $manager.route_config -}}
{{- $host := index $routes.virtual_hosts 0 -}}

{{- $copies := list -}}
{{- $isFirst := true -}}
{{- range $route := $host.routes -}}
{{- $header := dict -}}
{{- with $route.match.headers }}{{ $header = index . 0 }}{{ end -}}
{{- if ne (default "" $header.name) "x-vsr-destination-endpoint" -}}
{{- $copies = append $copies $route -}}
{{- else if $isFirst -}}
{{- $isFirst = false -}}
{{- range $endpoint := $endpoints -}}
{{- $copy := deepCopy $route -}}
{{- $_ := set $copy "name" $endpoint.name -}}
{{- $_ := set (index $copy.match.headers 0).string_match "exact" $endpoint.header -}}
{{- $_ := set $copy.route "cluster" (printf "endpoint/%s" $endpoint.name) -}}
{{- $copies = append $copies $copy -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $host "routes" $copies -}}

{{- $own := list -}}
{{- $clusters := list -}}
{{- range $cluster := $doc.static_resources.clusters -}}
{{- if not (hasPrefix "endpoint/" $cluster.name) -}}
{{- $own = append $own (include "semantic-router.processorCluster" (list $ $cluster) | fromYaml) -}}
{{- else if not $clusters -}}
{{- range $endpoint := $endpoints -}}
{{- $copy := deepCopy $cluster -}}
{{- $name := printf "endpoint/%s" $endpoint.name -}}
{{- $_ := set $copy "name" $name -}}
{{- $_ := set $copy.load_assignment "cluster_name" $name -}}
{{- $_ := set (index (index $copy.load_assignment.endpoints 0).lb_endpoints 0).endpoint "address" (dict "socket_address" (dict "address" $endpoint.address "port_value" $endpoint.port)) -}}
{{- $_ := set $copy "@type" "type.googleapis.com/envoy.config.cluster.v3.Cluster" -}}
{{- $clusters = append $clusters $copy -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- $_ := set $listener "address" (dict "socket_address" (dict "address" .Values.listenAddress "port_value" 8801)) -}}
{{- $_ := unset $manager "route_config" -}}
{{- $_ := set $manager "rds" (dict "route_config_name" $routes.name "config_source" (include "semantic-router.watched" "rds.yaml" | fromYaml)) -}}
{{- $_ := set $doc.static_resources "clusters" $own -}}
{{- $_ := set $doc "dynamic_resources" (dict "cds_config" (include "semantic-router.watched" "cds.yaml" | fromYaml)) -}}
{{- $name := include "semantic-router.fullname" . -}}
{{- $_ := set $doc "node" (dict "id" $name "cluster" $name) -}}
{{- $_ := set $routes "@type" "type.googleapis.com/envoy.config.route.v3.RouteConfiguration" -}}
{{- dict "bootstrap" $doc "rds" (dict "resources" (list $routes)) "cds" (dict "resources" $clusters) | toYaml -}}
{{- end -}}

{{/* A file of Envoy's that Kubernetes replaces by a new link `..data` in its folder. Argument: its name. */}}
{{- define "semantic-router.watched" -}}
resource_api_version: V3
path_config_source:
  path: /config/{{ . }}
  watched_directory: { path: /config }
{{- end -}}

{{/* The cluster of the processor. Argument: the root and the cluster of files/envoy.yaml. */}}
{{- define "semantic-router.processorCluster" -}}
{{- $root := index . 0 -}}
{{- $cluster := deepCopy (index . 1) -}}
{{- $endpoint := (index (index $cluster.load_assignment.endpoints 0).lb_endpoints 0).endpoint -}}
{{- if eq $root.Values.mode "sidecar" -}}
{{- $_ := set $endpoint "address" (dict "pipe" (dict "path" "/run/semantic-router/router.sock")) -}}
{{- $_ := set $cluster "type" "STATIC" -}}
{{- $_ := unset $cluster "dns_lookup_family" -}}
{{- else -}}
{{- $host := include "semantic-router.processorService" $root -}}
{{- $_ := set $endpoint "address" (dict "socket_address" (dict "address" $host "port_value" 50051)) -}}
{{- end -}}
{{- toYaml $cluster -}}
{{- end -}}

{{/*
The endpoints of the configuration, each with name, address, port and what x-vsr-destination-endpoint carries for it. A
variable in them is known to the processor alone, so Envoy could not be told.
*/}}
{{- define "semantic-router.endpoints" -}}
{{- $by := toString (default "name" (default dict .Values.config.routing).endpoint_header) -}}
{{- if not (has $by (list "name" "address")) -}}
{{- fail (printf "config.routing.endpoint_header must be name or address, not %q: Envoy's routes are made from it" $by) -}}
{{- end -}}
{{- $result := list -}}
{{- $seen := dict -}}
{{- include "semantic-router.endpointChecks" . -}}
{{- range $i, $endpoint := default list .Values.config.vllm_endpoints -}}
{{- $where := printf "config.vllm_endpoints[%d]" $i -}}
{{- range $key := list "name" "address" "port" -}}
{{- $value := toString (default "" (get $endpoint $key)) -}}
{{- if or (eq $value "") (contains "${" $value) -}}
{{- fail (printf "%s.%s must be written out, not %q: Envoy's configuration is made from it" $where $key $value) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $seen $endpoint.name -}}
{{- fail (printf "%s: two endpoints are named %q" $where $endpoint.name) -}}
{{- end -}}
{{- $_ := set $seen $endpoint.name true -}}
{{- $header := $endpoint.name -}}
{{- if eq $by "address" -}}
{{- $header = include "semantic-router.hostPort" (list $endpoint.address $endpoint.port) -}}
{{- end -}}
{{- $result = append $result (dict "name" $endpoint.name "address" $endpoint.address "port" (int $endpoint.port) "header" $header) -}}
{{- end -}}
{{- toYaml $result -}}
{{- end -}}

{{/* The three files as entries of a ConfigMap. */}}
{{- define "semantic-router.envoyFiles" -}}
{{- $files := include "semantic-router.envoy" . | fromYaml -}}
envoy.yaml: |
  {{- toYaml $files.bootstrap | nindent 2 }}
rds.yaml: |
  {{- toYaml $files.rds | nindent 2 }}
cds.yaml: |
  {{- toYaml $files.cds | nindent 2 }}
{{- end -}}

{{/* Changes with the bootstrap, which Envoy reads at its start only. */}}
{{- define "semantic-router.envoyChecksum" -}}
{{- (include "semantic-router.envoy" . | fromYaml).bootstrap | toYaml | sha256sum -}}
{{- end -}}

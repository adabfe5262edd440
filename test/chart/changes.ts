/** For each documented value one that differs from its default, and what else must be set for it to matter. */
export interface Change {
  readonly to: unknown;
  readonly with?: object;
}

const standalone = { mode: "standalone" };
const gateway = { mode: "gateway" };
const digest = `sha256:${"0".repeat(64)}`;
const endpoint = { name: "a", address: "a.models", port: 8000 };
const autoscaling = { autoscaling: { enabled: true } };
const envoyGateway = { ...standalone, envoyGateway: { enabled: true } };
const cpu = { requests: { cpu: "2" } };

export const changes: Readonly<Record<string, Change>> = {
  mode: { to: "gateway" },
  config: { to: { vllm_endpoints: [endpoint] } },
  replicaCount: { to: 3 },
  "image.repository": { to: "registry.example/semantic-router" },
  "image.tag": { to: "1.2.3" },
  "image.digest": { to: digest },
  "image.pullPolicy": { to: "Always" },
  imagePullSecrets: { to: [{ name: "registry" }] },
  nameOverride: { to: "other" },
  fullnameOverride: { to: "other" },
  commonLabels: { to: { team: "search" } },
  podAnnotations: { to: { note: "one" } },
  podLabels: { to: { tier: "edge" } },
  "serviceAccount.create": { to: false },
  "serviceAccount.name": { to: "router-account" },
  "serviceAccount.annotations": { to: { note: "one" } },
  podSecurityContext: { to: { runAsUser: 1234 } },
  securityContext: { to: { privileged: false } },
  resources: { to: cpu },
  listenAddress: { to: "::" },
  startupSeconds: { to: 300 },
  preStopSeconds: { to: 9 },
  "otlp.endpoint": { to: "collector.observability:4317" },
  "otlp.insecure": { to: false, with: { otlp: { endpoint: "collector:4317" } } },
  "otlp.protocol": { to: "http/protobuf", with: { otlp: { endpoint: "collector:4317" } } },
  "adminToken.secretName": { to: "admin" },
  "adminToken.key": { to: "bearer", with: { adminToken: { secretName: "admin" } } },
  secretEnv: { to: [{ name: "KEY", secretName: "keys", key: "one" }] },
  envFrom: { to: [{ secretRef: { name: "keys" } }] },
  extraEnv: { to: [{ name: "SR_LOG_LEVEL", value: "debug" }] },
  extraArgs: { to: ["--verbose"] },
  extraVolumes: { to: [{ name: "models", persistentVolumeClaim: { claimName: "models" } }] },
  extraVolumeMounts: { to: [{ name: "models", mountPath: "/models" }] },
  "configCheck.enabled": { to: false },
  "service.type": { to: "LoadBalancer" },
  "service.port": { to: 80 },
  "service.nodePort": { to: 30080, with: { service: { type: "NodePort" } } },
  "service.annotations": { to: { note: "one" } },
  "processorService.headless": { to: false, with: standalone },
  "processorService.port": { to: 9000, with: { ...standalone, processorService: { headless: false } } },
  "processorService.annotations": { to: { note: "one" }, with: standalone },
  "envoy.image.repository": { to: "registry.example/envoy" },
  "envoy.image.tag": { to: "v1.39.0" },
  "envoy.image.digest": { to: digest },
  "envoy.image.pullPolicy": { to: "Always" },
  "envoy.replicaCount": { to: 3, with: gateway },
  "envoy.concurrency": { to: 8 },
  "envoy.logLevel": { to: "debug" },
  "envoy.drainSeconds": { to: 600 },
  "envoy.resources": { to: cpu },
  "autoscaling.enabled": { to: true },
  "autoscaling.minReplicas": { to: 3, with: autoscaling },
  "autoscaling.maxReplicas": { to: 20, with: autoscaling },
  "autoscaling.targetCPUUtilizationPercentage": { to: 50, with: autoscaling },
  "autoscaling.metrics": {
    to: [
      {
        type: "Resource",
        resource: { name: "memory", target: { type: "Utilization", averageUtilization: 80 } },
      },
    ],
    with: autoscaling,
  },
  "autoscaling.behavior": { to: { scaleDown: { stabilizationWindowSeconds: 600 } }, with: autoscaling },
  "podDisruptionBudget.enabled": { to: true },
  "podDisruptionBudget.maxUnavailable": { to: "25%", with: { podDisruptionBudget: { enabled: true } } },
  topologySpreadConstraints: {
    to: [{ maxSkew: 1, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway" }],
  },
  nodeSelector: { to: { "kubernetes.io/arch": "arm64" } },
  affinity: {
    to: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
  },
  tolerations: { to: [{ key: "spot", operator: "Exists" }] },
  priorityClassName: { to: "high" },
  "networkPolicy.enabled": { to: true },
  "networkPolicy.from": {
    to: [{ namespaceSelector: { matchLabels: { team: "search" } } }],
    with: { networkPolicy: { enabled: true } },
  },
  "networkPolicy.egress": {
    to: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }],
    with: { networkPolicy: { enabled: true } },
  },
  "envoyGateway.enabled": { to: true, with: standalone },
  "envoyGateway.gateway.create": {
    to: false,
    with: { ...standalone, envoyGateway: { enabled: true, gateway: { name: "shared" } } },
  },
  "envoyGateway.gateway.name": { to: "shared", with: envoyGateway },
  "envoyGateway.gateway.className": { to: "internal", with: envoyGateway },
  "envoyGateway.gateway.listener": { to: "web", with: envoyGateway },
  "envoyGateway.gateway.port": { to: 8080, with: envoyGateway },
};

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { CHART } from "../../scripts/chart/files.ts";
import { repoRoot, textOf } from "../support/repo.ts";
import { scratchFolder } from "../support/scratch.ts";
import {
  containersOf,
  helm,
  helmMissing,
  KUBERNETES,
  modes,
  objects,
  only,
  podOf,
  routerOf,
  type Tree,
  workloads,
} from "./helm.ts";

const scratch = scratchFolder("chart-notes");

const everything = {
  autoscaling: { enabled: true },
  podDisruptionBudget: { enabled: true },
  networkPolicy: { enabled: true, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] },
  secretEnv: [{ name: "KEY", secretName: "keys", key: "one" }],
  envFrom: [{ secretRef: { name: "more" } }],
  commonLabels: { team: "search" },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" }],
  extraVolumes: [{ name: "models", persistentVolumeClaim: { claimName: "models" } }],
  extraVolumeMounts: [{ name: "models", mountPath: "/models", readOnly: true }],
};
/** `helm template` leaves NOTES.txt out, and `helm install` needs a cluster: so here it is a template like others. */
function notesOf(...values: readonly string[]): string {
  const { folder, put } = scratch;
  cpSync(join(repoRoot, CHART), folder, { recursive: true });
  const notes = textOf(`${CHART}/templates/NOTES.txt`);
  put("templates/notes.yaml", `{{ define "notes" }}${notes}{{ end }}text: {{ include "notes" . | quote }}`);
  const options = ["--set", values.join(","), "--kube-version", KUBERNETES, "-s", "templates/notes.yaml"];
  const { stdout, stderr } = helm("template", "demo", folder, ...options);
  assert.equal(stderr, "");
  return (parse(stdout) as { text: string }).text;
}
const isWithin = (part: object, whole: object) =>
  Object.entries(part).every(([key, value]) => (whole as Record<string, unknown>)[key] === value);

for (const mode of modes)
  describe(`${mode}: the objects fit together`, { skip: helmMissing }, () => {
    const all = helmMissing ? [] : objects({ mode, ...everything });

    test("every selector finds the pods of one Deployment", () => {
      const pods = workloads(all).map((one) => podOf(one).metadata!.labels!);
      const selectors = all.flatMap(({ kind, spec }): object[] => {
        if (kind === "Service") return [spec!.selector!];
        if (kind === "NetworkPolicy") {
          const peers = [...spec!.ingress!, ...spec!.egress!].flatMap(({ from, to }) => [
            ...(from ?? []),
            ...(to ?? []),
          ]);
          return [spec!, ...peers].flatMap(
            (one) => one.podSelector?.matchLabels ?? [],
          ) as unknown as object[];
        }
        if (kind === "Deployment" || kind === "PodDisruptionBudget") return [spec!.selector!.matchLabels!];
        return [];
      });
      const spread = workloads(all).map(
        (one) => podOf(one).spec!.topologySpreadConstraints![0]!.labelSelector!.matchLabels!,
      );
      assert.ok(selectors.length >= 4);
      for (const selector of [...selectors, ...spread])
        assert.equal(pods.filter((labels) => isWithin(selector, labels)).length, 1, JSON.stringify(selector));
    });

    test("every object has the labels, the namespace, and a name that is no other's", () => {
      for (const { kind, metadata } of all) {
        assert.equal(metadata.namespace, "prod", kind);
        assert.equal(metadata.labels!.team, "search");
        assert.equal(metadata.labels!["app.kubernetes.io/instance"], "demo");
      }
      assert.equal(new Set(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).size, all.length);
    });

    test("every Service leads to a port that its pods have", () => {
      for (const { spec } of all.filter(({ kind }) => kind === "Service")) {
        const pods = workloads(all).filter((one) => isWithin(spec!.selector!, podOf(one).metadata!.labels!));
        const ports = pods.flatMap((one) =>
          containersOf(one).flatMap(({ ports }) => (ports ?? []).map(({ name }) => name)),
        );
        for (const { targetPort } of spec!.ports!) assert.ok(ports.includes(targetPort!));
      }
    });

    test("every mount has its volume, and all volumes are mounted", () => {
      for (const one of workloads(all)) {
        const mounted = containersOf(one).flatMap(({ volumeMounts }) =>
          volumeMounts!.map(({ name }) => name),
        );
        assert.deepEqual(new Set(podOf(one).spec!.volumes!.map(({ name }) => name)), new Set(mounted));
      }
    });

    test("every container is restricted, and no token of the API server is in a pod", () => {
      for (const one of workloads(all)) {
        const { securityContext, automountServiceAccountToken } = podOf(one).spec! as unknown as Record<
          string,
          unknown
        >;
        assert.equal(automountServiceAccountToken, false);
        assert.deepEqual(securityContext, {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          fsGroup: 65532,
          seccompProfile: { type: "RuntimeDefault" },
        });
        for (const container of containersOf(one))
          assert.deepEqual(container.securityContext, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          });
      }
    });

    test("the processor is probed where it answers, and Envoy's admin stays inside", () => {
      const { ports, args, startupProbe, readinessProbe, livenessProbe } = routerOf(all) as never as Record<
        string,
        never[]
      > &
        Record<string, { httpGet: object }>;
      assert.ok((ports as object[]).some((port) => isWithin({ name: "status", containerPort: 9190 }, port)));
      assert.deepEqual(
        [startupProbe, readinessProbe, livenessProbe].map((probe) => probe!.httpGet),
        ["/readyz", "/readyz", "/livez"].map((path) => ({ path, port: "status" })),
      );
      const given = args as unknown as string[];
      assert.equal(given[given.indexOf("--status-listen") + 1], "0.0.0.0:9190");
      assert.equal(given[given.indexOf("--admin-listen") + 1], "127.0.0.1:9191");
      const open = all
        .flatMap((one) => (one.kind === "Deployment" ? containersOf(one) : []))
        .flatMap(({ ports }) => ports!);
      for (const port of open) assert.ok(![19000, 9191].includes(Number((port as Tree).containerPort)));
    });

    test("the configuration is checked before anything changes, as the processor will see it", () => {
      const job = only(all, "Job");
      const map = only(all, "ConfigMap", "demo-semantic-router-config-check");
      for (const { metadata } of [job, map])
        assert.equal(metadata.annotations!["helm.sh/hook"], "pre-install,pre-upgrade");
      const [check] = containersOf(job);
      assert.deepEqual(check!.args, ["check", "/config/config.yaml"]);
      for (const key of ["image", "env", "envFrom", "imagePullPolicy"])
        assert.deepEqual(check![key], routerOf(all)[key]);
      assert.ok(check!.volumeMounts!.some(({ name }) => name === "models"));
      assert.equal(
        map.data!["config.yaml"],
        only(all, "ConfigMap", "demo-semantic-router").data!["config.yaml"],
      );
      // What the API server has before the hook runs: not yet the account that the chart makes.
      assert.equal(podOf(job).spec!.serviceAccountName, undefined);
    });

    test("the notes say what to do next", () => {
      const text = notesOf(`mode=${mode}`);
      assert.match(text, new RegExp(`installed in mode ${mode}`));
      assert.match(text, /no configuration yet.*passed through[\s\S]*vllm_endpoints[\s\S]*helm upgrade/);
      assert.match(text, /refused until adminToken\.secretName/);
      const variable = `config.admin.token=\${TOKEN}`;
      for (const token of ["adminToken.secretName=admin", variable])
        assert.doesNotMatch(notesOf(`mode=${mode}`, token), /refused until/);
    });
  });

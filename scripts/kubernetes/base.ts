import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments, stringify } from "yaml";
import { ensureHelm } from "../helm-binary.ts";
import { ROOT } from "../lib/settings.ts";
import { must, runner } from "./kubectl.ts";

// `node scripts/kubernetes/base.ts` writes examples/kubernetes/base anew: what the chart makes of its config.yaml.

export const BASE = join(ROOT, "examples", "kubernetes", "base");
const HEADER = "# Made from the Helm chart and config.yaml by scripts/kubernetes/base.ts.\n";

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** The files that are made, by name. */
export function baseFiles(helm: string): Record<string, string> {
  const values = {
    mode: "sidecar",
    fullnameOverride: "semantic-router",
    config: parse(readFileSync(join(BASE, "config.yaml"), "utf8")) as object,
    // A hook of Helm's.
    configCheck: { enabled: false },
  };
  const chart = join(ROOT, "helm", "semantic-router");
  const args = ["template", "semantic-router", chart, "--kube-version", "1.36", "--values", "-"];
  const text = must(runner(helm, process.env), args, JSON.stringify(values));
  const objects = parseAllDocuments(text).map((doc) => plain(doc.toJS()) as Manifest | null);
  const files: Record<string, string> = {};
  for (const object of objects) {
    if (object?.kind === "ConfigMap") {
      for (const [name, content] of Object.entries(object.data ?? {}))
        if (name !== "config.yaml") files[name] = HEADER + content;
    } else if (object) {
      files[`${object.kind.toLowerCase()}.yaml`] = HEADER + stringify(object, { lineWidth: 0 });
    }
  }
  return files;
}

/** Of Helm alone: its labels, the namespace of its release, and the digest by which it replaces pods. */
const HELMS = ["helm.sh/chart", "app.kubernetes.io/managed-by", "namespace", "checksum/envoy"];

function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => !HELMS.includes(key));
  return Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
}

if (process.argv[1] === import.meta.filename) {
  const files = baseFiles(ensureHelm((line) => console.log(line)));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(BASE, name), text);
}

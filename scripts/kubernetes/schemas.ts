import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Definition = { readonly [key: string]: Json };

const DEFINITIONS = "_definitions.json";

/**
 * Writes the schemas of an API server's own OpenAPI v2 document where `kubeconform` finds them, made strict: a key that
 * is not described is refused. Returns what `-schema-location` has to be.
 */
export function writeSchemas(openApi: string, folder: string): string {
  const { definitions } = JSON.parse(openApi) as { definitions: Record<string, Definition> };
  mkdirSync(folder, { recursive: true });
  const strictOnes = Object.fromEntries(
    Object.entries(definitions).map(([name, body]) => [name, strict(body) as Definition]),
  );
  // It stands there as a string, and accepts numbers.
  strictOnes["io.k8s.apimachinery.pkg.api.resource.Quantity"] = {
    oneOf: [{ type: "string" }, { type: "number" }],
  };
  writeFileSync(join(folder, DEFINITIONS), JSON.stringify({ definitions: strictOnes }));
  for (const [name, body] of Object.entries(definitions)) {
    const kinds = (body["x-kubernetes-group-version-kind"] ?? []) as {
      group: string;
      version: string;
      kind: string;
    }[];
    for (const { group, version, kind } of kinds) {
      const schema = { ...strictOnes[name], required: ["apiVersion", "kind"] };
      const place = [kind, group.split(".")[0], version].filter(Boolean).join("-").toLowerCase();
      writeFileSync(join(folder, `${place}.json`), JSON.stringify(schema));
    }
  }
  return join(folder, "{{ .ResourceKind }}{{ .KindSuffix }}.json");
}

function strict(node: Json): Json {
  if (Array.isArray(node)) return node.map(strict);
  if (node === null || typeof node !== "object") return node;
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(node)) {
    if (key.startsWith("x-kubernetes-")) continue;
    out[key] =
      key === "$ref" && typeof value === "string"
        ? value.replace("#/definitions/", `${DEFINITIONS}#/definitions/`)
        : strict(value);
  }
  if (out.format === "int-or-string") return { oneOf: [{ type: "string" }, { type: "integer" }] };
  const open = (node as Definition)["x-kubernetes-preserve-unknown-fields"] === true;
  if (out.properties && !open && !("additionalProperties" in out)) out.additionalProperties = false;
  return out;
}

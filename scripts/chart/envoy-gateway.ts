import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** The Envoy Gateway whose objects the chart makes. */
export const ENVOY_GATEWAY_VERSION = "1.9.1";

type Schema = Record<string, unknown>;

interface Definition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

/**
 * The schemas of Envoy Gateway's own objects and of the Gateway API's, by `group/version/kind`. They come from its Go
 * module, which Go keeps once it has it. Throws one line that names the remedy.
 */
export function gatewaySchemas(env: NodeJS.ProcessEnv = process.env): Map<string, Schema> {
  const module = `github.com/envoyproxy/gateway@v${ENVOY_GATEWAY_VERSION}`;
  const { status, stdout, stderr, error } = spawnSync("go", ["mod", "download", "-json", module], {
    encoding: "utf8",
    env: { ...env, GOFLAGS: "-mod=mod" },
  });
  if (error) throw new Error("Envoy Gateway's schemas come with Go, which was not found: install Go");
  if (status !== 0) {
    const said = (stderr || stdout).trim().split("\n").at(-1);
    throw new Error(`go could not download ${module} (${said}): check the network and GOPROXY`);
  }
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const folder = join(Dir, "charts", "gateway-helm", "charts", "crds", "crds");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".yaml"),
  );
  const definitions = files
    .flatMap((file) => [...parseAllDocuments(readFileSync(join(folder, file), "utf8"))])
    .map((doc) => (doc as { toJS(): unknown }).toJS() as Definition | null)
    .filter((definition) => definition?.kind === "CustomResourceDefinition");
  return new Map(
    definitions.flatMap((definition) => {
      const { group, names, versions } = definition!.spec;
      return versions.map(({ name, schema }): [string, Schema] => [
        `${group}/${name}/${names.kind}`,
        strict(schema.openAPIV3Schema) as Schema,
      ]);
    }),
  );
}

/** An API server drops fields that it does not know; here each is an error. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, strict(value)]),
  ) as Schema;
  const isOpen =
    copy.additionalProperties !== undefined || copy["x-kubernetes-preserve-unknown-fields"] === true;
  const { properties } = copy;
  // Of `metadata` no more is said than that it is an object. A property may itself be called "properties".
  if (isOpen || copy.type !== "object" || typeof properties !== "object") return copy;
  return { ...copy, additionalProperties: false };
}

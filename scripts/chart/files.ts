import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/settings.ts";
import { chartSchema } from "./schema.ts";
import { readValues, type Value } from "./values.ts";

/** The chart's folder, from the root of the repository. */
export const CHART = "helm/semantic-router";

export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** The files of the chart that are made from others, as they must be. */
export function generatedFiles(): GeneratedFile[] {
  const values = readValues(read(`${CHART}/values.yaml`));
  const schema = `${CHART}/values.schema.json`;
  const readme = `${CHART}/README.md`;
  return [
    { path: `${CHART}/files/envoy.yaml`, text: read("envoy/envoy.yaml") },
    { path: schema, text: formatted(schema, JSON.stringify(chartSchema(values))) },
    { path: readme, text: withTable(read(readme), values) },
  ];
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** As `npm run lint` wants it. */
function formatted(path: string, text: string): string {
  const biome = join(ROOT, "node_modules", ".bin", "biome");
  // Nothing to keep from before: written anew, every object breaks where a line would be too long.
  const { status, stdout, stderr } = spawnSync(biome, ["format", `--stdin-file-path=${path}`], {
    cwd: ROOT,
    encoding: "utf8",
    input: text,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`biome could not format ${path}: ${stderr}`);
  return stdout;
}

const table = /(<!-- values[^>]* -->\n)[\s\S]*(<!-- end of values -->)/;

function withTable(readme: string, values: readonly Value[]): string {
  if (!table.test(readme)) throw new Error(`${CHART}/README.md has lost the marks of its table of values`);
  const lines = values.map(
    ({ path, default: value, meaning }) =>
      `| \`${path}\` | ${shown(value)} | ${meaning.replaceAll("|", "\\|")} |`,
  );
  const text = ["| Value | Default | Meaning |", "| --- | --- | --- |", ...lines].join("\n");
  return readme.replace(table, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? "see values.yaml" : `\`${text}\``;
}

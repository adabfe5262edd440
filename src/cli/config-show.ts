import { basename } from "node:path";
import type { Shape } from "../config/kinds.ts";
import { type Loaded, loadConfig } from "../config/load.ts";
import { isDefault } from "../config/origins.ts";
import { schema } from "../config/schema.ts";
import { resolveTracing } from "../telemetry/settings/resolve.ts";
import { shownUrl } from "../telemetry/settings/target.ts";
import type { Command, Given, Streams } from "./command.ts";
import { configOption } from "./config-option.ts";
import { configFile } from "./configuration.ts";
import { warningsIn } from "./findings.ts";
import { print, printJson } from "./output.ts";
import { Places } from "./places.ts";
import { applyTracing } from "./show/environment.ts";
import { type Node, plain, treeOf, valuesOf } from "./show/tree.ts";
import { yamlOf } from "./show/yaml.ts";

/** The configuration as the router understands it. */
export const configShow: Command = {
  usage: "config show [OPTION...]",
  about: `Prints YAML: variables are expanded, and secrets are shown as ***. Other values that come from a variable are shown, so
keep the output where the environment may be known.
Origins: FILE:LINE; default; variable NAME at FILE:LINE, for \${NAME} in the file; environment NAME, for OTEL_* variables
and SR_LOG_LEVEL, which decide over the file and are those of this shell.
Exit status: 0 shown, 1 the configuration is invalid, 2 usage.`,
  options: {
    config: configOption,
    effective: {
      type: "boolean",
      description: "also what the file does not say: defaults, and the environment",
    },
    origins: { type: "boolean", description: "where each value is from, as a comment behind it" },
    json: {
      type: "boolean",
      description: "as JSON: file, config, origins by path, and what else is in force",
    },
  },
  positionals: [0, 0],
  run: (given, streams) => show(given, streams),
};

async function show({ text, flag }: Given, { output, errors }: Streams): Promise<number> {
  const file = configFile(text("config"));
  const isEffective = flag("effective");
  // It overrides the file's level, and the file's own is asked for.
  const env = isEffective ? process.env : { ...process.env, SR_LOG_LEVEL: undefined };
  const loaded = loadConfig(file, env);
  const { source } = loaded;
  const places = new Places(source.text, env);
  const place = (path: readonly (string | number)[]) => `${basename(file)}:${places.of(path).line}`;
  const tree = treeOf(loaded.config, schema as unknown as Shape, { ownOnly: !isEffective, place });
  hideKeyInUrl(tree);
  const inForce = isEffective ? withEnvironment(loaded, tree, place) : { others: [], warnings: [] };
  for (const warning of inForce.warnings) errors.write(`warning: ${warning}\n`);
  const dead = warningsIn(source.text, env).filter(({ believed }) => believed !== undefined);

  if (flag("json")) {
    const origins = Object.fromEntries(valuesOf(tree).map(({ path, origin }) => [path, origin]));
    await printJson(output, {
      file,
      config: plain(tree),
      ...(flag("origins") && { origins }),
      ...(isEffective && { also_in_force: inForce.others }),
      without_effect: dead.map(({ path, line }) => ({ path, line })),
    });
    return 0;
  }
  const notes = inForce.others.map(
    ({ path, value, origin }) => `${path}: ${value}${flag("origins") ? ` (${origin})` : ""}`,
  );
  await print(
    output,
    [
      yamlOf(tree, flag("origins")).trimEnd(),
      ...comment("In force, without a key of its own:", notes),
      ...comment(
        "In the file, without effect (semantic-router check tells why):",
        dead.map(({ path, line }) => `${path}, line ${line}`),
      ),
    ].join("\n"),
  );
  return 0;
}

/** As in the log: a collector's key may stand in the path, or behind the `?`. */
function hideKeyInUrl(tree: Node | undefined): void {
  const endpoint = valuesOf(tree).find(({ path }) => path === "observability.tracing.exporter.endpoint");
  if (endpoint && /^https?:/i.test(String(endpoint.value))) endpoint.value = shownUrl(String(endpoint.value));
}

interface InForce {
  readonly others: readonly { readonly path: string; readonly value: string; readonly origin: string }[];
  readonly warnings: readonly string[];
}

/** What follows from other values and from the environment, as a start in this environment would have it. */
function withEnvironment(
  { config, written }: Loaded,
  tree: Node | undefined,
  place: (path: readonly string[]) => string,
): InForce {
  for (const node of valuesOf(tree)) {
    if (node.path === "logging.level" && process.env.SR_LOG_LEVEL) node.origin = "environment SR_LOG_LEVEL";
    const follows =
      node.path === "semantic_cache.similarity_threshold" && config.bert_model.threshold !== undefined;
    if (follows && isDefault(config.semantic_cache, "similarity_threshold"))
      node.origin = `bert_model.threshold at ${place(["bert_model", "threshold"])}`;
  }
  const { effective, warnings } = resolveTracing(config.observability.tracing, written, process.env);
  const others = applyTracing(tree, effective).map(({ key, value, from }) => ({
    path: `tracing ${key}`,
    value,
    origin: from === "file" || from === "default" ? from : `environment ${from}`,
  }));
  return { others, warnings };
}

const comment = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`# ${title}`, ...lines.map((line) => `#   ${line}`)];

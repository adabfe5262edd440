import { readFileSync } from "node:fs";
import { isMap, isScalar, parseDocument } from "yaml";
import { isObject, isWritten } from "../config/check.ts";
import { type Env, Expanded, expand } from "../config/variables.ts";
import { readYaml } from "../config/yaml.ts";
import { configFile } from "./configuration.ts";
import { whyUnreadable } from "./unreadable.ts";

const fallback = "127.0.0.1:50051";

/**
 * `server.listen` of the configuration, also of one that was spoilt since its processor started. The default only where
 * a sound file has no such key: else another processor could answer for the one that is meant.
 * Throws an Error of one line where the address is not known.
 */
export function listenIn(config: string | undefined, env: Env = process.env): string {
  const { file, text } = read(config, env);
  const { values, problems } = readYaml(text, env);
  const unset = problems.find(({ path }) => path === "server" || path === "server.listen");
  if (unset) throw unknown(`${file}: ${unset.path}: ${unset.message}`);
  // What YAML itself objects to, a duplicate key too, has no path.
  const isSound = !problems.some(({ path }) => path === "");
  const found = isSound ? valueIn(values, file) : kept(text, file, env);
  const listen = found instanceof Expanded ? found.text : found;
  if (isWritten(listen)) return typeof listen === "string" ? listen : JSON.stringify(listen);
  // A variable behind an alias is not set: that is told at another key.
  if (!isSound || (found instanceof Expanded && problems.length > 0))
    throw unknown(`${file} is damaged, and names no server.listen that can be read`);
  return fallback;
}

function read(config: string | undefined, env: Env): { readonly file: string; readonly text: string } {
  let file: string | undefined;
  try {
    file = configFile(config, env);
    return { file, text: readFileSync(file, "utf8") };
  } catch (error) {
    throw unknown(
      file === undefined ? (error as Error).message : `cannot read ${file}: ${whyUnreadable(error as Error)}`,
    );
  }
}

function valueIn(values: unknown, file: string): unknown {
  const { server } = isObject(values) ? values : { server: undefined };
  for (const part of [values, server])
    if (isWritten(part) && !isObject(part))
      throw unknown(`${file} is damaged: mappings are wanted, and it has something else there`);
  return isObject(server) ? server.listen : undefined;
}

/** Of what the parser could keep of a file with errors: only what is there once, and has no error in it. */
function kept(text: string, file: string, env: Env): unknown {
  const { contents, errors } = parseDocument(text, { stringKeys: true, prettyErrors: false });
  const value = onlyOne(onlyOne(contents, "server"), "listen");
  if (!isScalar(value) || typeof value.value !== "string") return undefined;
  const [from = 0, to = 0] = value.range ?? [];
  // Cut off in the middle, it would be the address of another.
  if (errors.some(({ pos: [at] }) => at >= from && at <= to)) return undefined;
  return expand(value.value, env, (message) => {
    throw unknown(`${file}: server.listen: ${message}`);
  });
}

function onlyOne(node: unknown, name: string): unknown {
  if (!isMap(node)) return undefined;
  const [found, ...more] = node.items.filter(({ key }) => isScalar(key) && key.value === name);
  return more.length === 0 ? found?.value : undefined;
}

const unknown = (why: string): Error =>
  new Error(`the address to ask is unknown: ${why}; --listen ADDR names it`);

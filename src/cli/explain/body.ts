import type { Config } from "../../config/schema.ts";
import type { Stage } from "./whole-trace.ts";

export interface BodyChanges {
  /** Fields at the top, but for the messages; null stands for one that is not there. */
  readonly fields: Readonly<Record<string, { readonly old: unknown; readonly new: unknown }>>;
  readonly system_prompt: {
    readonly category: string;
    readonly mode: string;
    readonly text: string;
  } | null;
}

/**
 * What the router writes into the client's body.
 * @param changed the body as it goes on; undefined where the client's own does.
 * @param injection the stage that writes it; undefined where it did not run.
 */
export function bodyChanges(
  sent: Uint8Array,
  changed: Uint8Array | undefined,
  injection: Stage | undefined,
  { categories }: Config,
): BodyChanges {
  const {
    "category.name": name,
    "system_prompt.mode": mode,
    "system_prompt.injected": injected,
  } = injection?.attributes ?? {};
  const category = injected === true ? categories.find((one) => one.name === name) : undefined;
  return {
    fields: changed ? fieldChanges(objectIn(sent), objectIn(changed)) : {},
    system_prompt: category
      ? { category: category.name, mode: String(mode), text: category.system_prompt ?? "" }
      : null,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldChanges(old: Fields, next: Fields): BodyChanges["fields"] {
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return Object.fromEntries(
    keys
      .filter((key) => key !== "messages" && JSON.stringify(old[key]) !== JSON.stringify(next[key]))
      .map((key) => [key, { old: old[key] ?? null, new: next[key] ?? null }]),
  );
}

/** Of a body that the router could read. */
const objectIn = (body: Uint8Array): Fields => JSON.parse(Buffer.from(body).toString()) as Fields;

// What an upstream says, read without trust: every field may be missing, of another type, or absurdly long.

import type { SpokenChoice } from "./answer-text.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Tokens as the upstream counted them, or as we did (`estimated`). */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly estimated: boolean;
}

/** What an answer said about itself. */
export interface Said {
  readonly id?: string;
  readonly model?: string;
  /** One per choice that ended, in the order of the choices. */
  readonly finishReasons: readonly string[];
  /**
   * As the upstream counted. Where a stream was cut or never told, `estimated`: the output tokens are the number of
   * frames that carried text, the input tokens are unknown. Absent when nothing was generated or can be known.
   */
  readonly usage?: Usage;
  /** The frame that ends an event stream of completions (`[DONE]`) has passed: nothing more is to come. */
  readonly done?: boolean;
  /** What was said, where it was wanted; empty when that could not be read. */
  readonly choices?: readonly SpokenChoice[];
  /** Canonical JSON of the whole completion, where it was wanted and may be served again (see `storable`). */
  readonly storable?: Uint8Array;
}

/** One form of body; what it heard is asked for once. */
export interface BodyReader {
  chunk(bytes: Uint8Array): void;
  end(complete: boolean): Said;
}

/** Ids, model names and finish reasons end up in spans. In UTF-16 units. */
const LONGEST_NAME = 256;

/** No upstream offers more choices than this for one prompt. */
export const MOST_CHOICES = 128;

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The object in `text`; undefined when it is not JSON, or JSON of another kind. */
export function parseFields(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A non-empty name, cut to a length that is fit to be shown. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, LONGEST_NAME) : undefined;
}

/** The choices of a completion or of a frame; not more than `MOST_CHOICES`. */
export function choicesOf(answer: Fields): readonly Fields[] {
  const choices: unknown = answer.choices;
  if (!Array.isArray(choices)) return [];
  const only = choices.length === 1 ? fieldsOf(choices[0]) : undefined;
  if (only) return [only];
  return choices
    .slice(0, MOST_CHOICES)
    .map(fieldsOf)
    .filter((choice) => choice !== undefined);
}

/** The index a choice states, else its position; undefined when it states nonsense. */
export function indexOf(choice: Fields, position: number): number | undefined {
  const { index = position } = choice;
  return typeof index === "number" && Number.isInteger(index) && index >= 0 && index < MOST_CHOICES
    ? index
    : undefined;
}

/** `prompt_tokens` and `completion_tokens` of a usage object; undefined when it holds neither. */
export function usageOf(value: unknown): Usage | undefined {
  const usage = fieldsOf(value);
  const inputTokens = countOf(usage?.prompt_tokens);
  const outputTokens = countOf(usage?.completion_tokens);
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    estimated: false,
  };
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Nothing is said: servers write it as no field, null, "" or []. */
export function absent(value: unknown): boolean {
  return (
    value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)
  );
}

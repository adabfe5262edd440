import { cut } from "./text.ts";

/** Personal data in a text. `start`/`end` are UTF-16 offsets, end exclusive. */
export interface Found {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Personal data that is known by its value, such as a name that was found elsewhere in the exchange. */
export interface Known {
  readonly type: string;
  readonly value: string;
}

/** One text of the prompt. Neighbours with the same `message` are parts of one message. */
export interface Said {
  readonly role: string;
  readonly text: string;
  readonly message: string;
}

/** One choice of the answer. */
export interface Answered {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: string;
  readonly finishReason?: string | undefined;
}

export type Recorded = readonly (readonly [key: string, text: string])[];

/** Writes what was said as OpenTelemetry's attributes, personal data replaced by its type. */
export interface Recorder {
  /** Characters of a text beyond which nothing of it is recorded. */
  readonly gatherChars: number;
  /** `instructions`: a system prompt that is not the client's. */
  prompt(texts: readonly Said[], instructions: string | undefined): Recorded;
  answer(choices: readonly Answered[]): Recorded;
}

/** Texts recorded of a prompt, the newest, and choices of an answer: a span must fit into a message to the collector. */
const mostTexts = 32;
/** Longest personal data that may be cut by the end of what is looked at; so much before that end is not recorded. */
const margin = 512;
/** With more to look for than this, an exchange is not recorded: each is looked for everywhere. */
const mostKnown = 256;

/**
 * @param maxChars recorded of each text.
 * @param find finds personal data that has a form of its own.
 * @returns a recorder for an exchange in which `known` was found; undefined where it cannot be made safe.
 */
export const contentRecorder =
  (maxChars: number, find: (text: string) => readonly Found[]) =>
  (known: readonly Known[]): Recorder | undefined => {
    const values = new Map(known.map(({ type, value }) => [normal(value), type]));
    values.delete("");
    if (values.size > mostKnown) return undefined;
    const repeated = repetitions(values);
    const recordable = 2 * maxChars;
    const gatherChars = recordable + margin;

    const redact = (text: string): string => {
      const seen = text.slice(0, gatherChars);
      const end = text.length > gatherChars ? recordable : seen.length;
      const found = [...find(seen), ...repeated(seen)].sort((a, b) => a.start - b.start || b.end - a.end);
      let out = "";
      let at = 0;
      for (const one of found) {
        if (one.start >= end || out.length > maxChars) break;
        // Of what overlaps, the first names the type and all of it goes.
        if (one.start >= at) out += `${seen.slice(at, one.start)}[${one.type}]`;
        at = Math.max(at, one.end);
      }
      return cut(at < end ? out + seen.slice(at, end) : out, maxChars);
    };
    const part = (text: string, type = "text") => (text === "" ? [] : [{ type, content: redact(text) }]);

    return {
      gatherChars,
      prompt(texts, instructions) {
        const messages: { role: string; parts: object[] }[] = [];
        let current: string | undefined;
        for (const { role, text, message } of texts.slice(-mostTexts)) {
          if (message !== current) messages.push({ role, parts: [] });
          current = message;
          messages.at(-1)?.parts.push(...part(text));
        }
        return [
          ["gen_ai.input.messages", JSON.stringify(messages)],
          ...(instructions === undefined
            ? []
            : ([["gen_ai.system_instructions", JSON.stringify(part(instructions))]] as const)),
        ];
      },
      answer(choices) {
        if (choices.length === 0) return [];
        const messages = choices.slice(0, mostTexts).map(({ text, reasoning, calls, finishReason }) => ({
          role: "assistant",
          parts: [...part(reasoning, "reasoning"), ...part(text), ...part(calls)],
          // The convention asks for one; what did not end by itself has none.
          finish_reason: finishReason ?? "error",
        }));
        return [["gen_ai.output.messages", JSON.stringify(messages)]];
      },
    };
  };

const normal = (value: string): string => value.trim().toLowerCase().replace(/\s+/g, " ");

/** Finds values again wherever they stand, in any case and with any white space between their words. */
function repetitions(values: ReadonlyMap<string, string>): (text: string) => Found[] {
  if (values.size === 0) return () => [];
  const longestFirst = [...values.keys()].sort((a, b) => b.length - a.length);
  const pattern = longestFirst
    .map((value) => value.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll(" ", "\\s+"))
    .join("|");
  const search = new RegExp(pattern, "giu");
  return (text) =>
    [...text.matchAll(search)].map(({ 0: match, index }) => ({
      type: values.get(normal(match)) ?? "PII",
      start: index,
      end: index + match.length,
    }));
}

import type { Tracing as Policy } from "../config/schema.ts";
import { type Found, type Known, margin, redaction } from "./redaction.ts";
import { cut } from "./text.ts";

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

export type Recorded = readonly (readonly [key: string, value: string | true])[];

/** Writes what one exchange said as OpenTelemetry's attributes, personal data replaced by its type. */
export interface Recorder {
  /** Characters of a text beyond which nothing of it is recorded. */
  readonly gatherChars: number;
  /** Asked before `prompt`, if at all: of what there is room for, the answer comes first. */
  answer(choices: readonly Answered[]): Recorded;
  /**
   * The newest texts first; and, where anything of the exchange was too long or too much, that it is so.
   * `instructions`: a system prompt that is not the client's.
   */
  prompt(texts: readonly Said[], instructions: string | undefined): Recorded;
}

/** Texts recorded of a prompt, the newest, and choices of an answer. */
export const mostTexts = 32;
/** UTF-16 units of one exchange in which personal data is looked for: 6 ms of digits and dots, 1 ms of words. */
export const mostChars = 64 * 1024;
/** UTF-8 bytes of all attributes with content of one span: it has to fit into a message to the collector, with others. */
export const mostBytes = 256 * 1024;
/** How often a text may stand on the span: in the JSON here, in a convention's list, and as the input or output. */
const copies: Readonly<Record<Policy["provider"], number>> = {
  opentelemetry: 1,
  openllmetry: 2,
  openinference: 3,
};
/** Bytes for each copy of a message besides its text: names, role, finish reason, punctuation. */
const messageBytes = 160;

/**
 * @param maxChars recorded of each text.
 * @param find finds personal data that has a form of its own.
 * @param provider the convention that repeats it; default: the one that does so most.
 * @returns a recorder for one exchange in which `known` was found; undefined where it cannot be made safe.
 */
export const contentRecorder =
  (
    maxChars: number,
    find: (text: string) => readonly Found[],
    provider: Policy["provider"] = "openinference",
  ) =>
  (known: readonly Known[]): Recorder | undefined => {
    const redact = redaction(known, find);
    if (!redact) return undefined;
    const gatherChars = maxChars + margin;
    const room = { chars: mostChars, bytes: Math.floor(mostBytes / copies[provider]) };
    let truncated = false;

    /** A text as the list of its one part, as far as there is room; empty where there is none. */
    const part = (text: string, type = "text"): readonly { type: string; content: string }[] => {
      if (text === "") return [];
      const look = Math.min(text.length, gatherChars, room.chars);
      room.chars -= look;
      const redacted = redact(text, look, maxChars);
      const content = fit(redacted.text, type, room.bytes);
      // What is older than a text that was cut for want of room is left out, however short.
      room.bytes = content === redacted.text ? room.bytes - bytesOf(content, type) : 0;
      if (!redacted.whole || content !== redacted.text) truncated = true;
      return content === "" ? [] : [{ type, content }];
    };
    /** Whether there is room for a message; then it is taken. */
    const message = (): boolean => {
      if (room.bytes < messageBytes || room.chars <= 0) {
        truncated = true;
        return false;
      }
      room.bytes -= messageBytes;
      return true;
    };

    return {
      gatherChars,
      answer(choices) {
        if (choices.length === 0) return [];
        if (choices.length > mostTexts) truncated = true;
        const messages: object[] = [];
        for (const { text, reasoning, calls, finishReason } of choices.slice(0, mostTexts)) {
          if (!message()) break;
          const [said, called] = [part(text), part(calls)];
          messages.push({
            role: "assistant",
            parts: [...part(reasoning, "reasoning"), ...said, ...called],
            // The convention asks for one; what did not end by itself has none.
            finish_reason: finishReason ?? "error",
          });
        }
        return [["gen_ai.output.messages", JSON.stringify(messages)]];
      },
      prompt(texts, instructions) {
        const system = instructions !== undefined && message() ? part(instructions) : undefined;
        if (texts.length > mostTexts) truncated = true;
        const messages: { role: string; parts: object[] }[] = [];
        let current: string | undefined;
        for (const said of texts.slice(-mostTexts).reverse()) {
          const { role, text } = said;
          if (said.message !== current) {
            if (!message()) break;
            messages.unshift({ role, parts: [] });
          }
          current = said.message;
          messages[0]?.parts.unshift(...part(text));
        }
        return [
          ["gen_ai.input.messages", JSON.stringify(messages)],
          ...(system ? ([["gen_ai.system_instructions", JSON.stringify(system)]] as const) : []),
          ...(truncated ? ([["content.truncated", true]] as const) : []),
        ];
      },
    };
  };

/** In JSON, with the comma. */
const bytesOf = (content: string, type: string): number =>
  Buffer.byteLength(JSON.stringify({ type, content })) + 1;

/** The beginning of a redacted text that has no more than `most` bytes as a part. */
function fit(text: string, type: string, most: number): string {
  let fitting = text;
  for (let bytes = bytesOf(fitting, type); fitting !== "" && bytes > most; bytes = bytesOf(fitting, type))
    fitting = cut(fitting, Math.floor((fitting.length * Math.max(most, 0) * 0.95) / bytes));
  return fitting;
}

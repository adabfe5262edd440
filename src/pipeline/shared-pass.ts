import type { Chat, Utterance } from "../chat/request.ts";
import { surroundingTexts } from "../chat/request-surroundings.ts";
import type { Encoder, Encoding, Wants } from "../models/encode.ts";
import type { Span } from "../telemetry/trace.ts";

/** Who waits for the outcome. The signal is made when first read: what needs no model and no cache never reads it. */
export interface Waiting {
  readonly signal: AbortSignal;
}

/** The one encoder pass of an exchange, shared by every stage that reads from it. */
export interface SharedPass {
  /** What the encoder reads: `Encoding.entities` has one list for each. */
  readonly utterances: readonly Utterance[];
  /** Whether the stage of this part gets its answer from a pass of the model that serves others too. */
  shares(part: keyof Wants): boolean;
  /** Nobody needs this part after all. Too late once the pass has begun. */
  drop(part: keyof Wants): void;
  /** Starts it when first asked for. */
  read(): Promise<Encoding>;
}

/**
 * With a guard everything is read: first what stands around and is read by the model too, such as tools and documents, then
 * every message. So a conversation that grows keeps its beginning, which the encoder then remembers.
 * Without a guard only the last user turn is read.
 */
export function sharedPass(
  { encode, own }: Pick<Encoder, "encode" | "own">,
  chat: Chat,
  wants: Wants,
  waiting: Waiting,
): SharedPass {
  const guarded = wants.entities || wants.jailbreak;
  const lastUser = chat.utterances[chat.lastUser]!;
  const utterances = guarded ? [...surroundingTexts(chat), ...chat.utterances] : [lastUser];
  const together = () =>
    (Object.keys(needed) as (keyof Wants)[]).filter((part) => needed[part] && !own?.has(part));
  let needed = wants;
  let pass: Promise<Encoding> | undefined;
  return {
    utterances,
    shares: (part) => together().length > 1 && together().includes(part),
    drop(part) {
      if (!pass) needed = { ...needed, [part]: false };
    },
    read() {
      const texts = utterances.map(({ text }) => text);
      pass ??= encode({ texts, focus: utterances.indexOf(lastUser) }, needed, waiting.signal);
      return pass;
    },
  };
}

/** Sets on the span of a stage what its part of the pass took; nothing where there is no answer. */
export function describePass(
  span: Span,
  pass: SharedPass,
  part: keyof Wants,
  encoding: Encoding | undefined,
): void {
  if (!encoding) return;
  const { passMs, headMs, windows, tokens } = encoding.effort;
  span
    .set("model.shared_pass", pass.shares(part))
    .set("model.pass_time_ms", passMs)
    .set("model.head_time_ms", headMs[part])
    .set("model.windows", windows)
    .set("model.tokens", tokens);
}

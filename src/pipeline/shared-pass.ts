import type { Chat } from "../chat/request.ts";
import { surroundingTexts } from "../chat/request-surroundings.ts";
import type { Encode, Encoding, Wants } from "../models/encode.ts";

/** Who waits for the outcome. The signal is made when first read: what needs no model and no cache never reads it. */
export interface Waiting {
  readonly signal: AbortSignal;
}

/** The one encoder pass of an exchange, shared by every stage that reads from it. */
export interface SharedPass {
  /** The encoding of the last user turn. */
  lastUser(): Promise<Encoding>;
  /** One encoding for each of the chat's utterances. */
  utterances(): Promise<readonly Encoding[]>;
  /** Those, and what stands around the conversation and is read by the model all the same: tools, templates. */
  everything(): Promise<readonly Encoding[]>;
}

/** Made when first asked for. Without a guard only the last user turn is read. */
export function sharedPass(encode: Encode, chat: Chat, wants: Wants, waiting: Waiting): SharedPass {
  const guarded = wants.entities || wants.jailbreak;
  const spoken = guarded ? chat.utterances : [chat.utterances[chat.lastUser]!];
  const around = wants.jailbreak ? surroundingTexts(chat) : [];
  const texts = [...spoken, ...around].map(({ text }) => text);
  let pass: Promise<readonly Encoding[]> | undefined;
  const everything = () => (pass ??= encode(texts, wants, waiting.signal));
  return {
    everything,
    utterances: async () => (await everything()).slice(0, spoken.length),
    lastUser: async () => (await everything())[guarded ? chat.lastUser : 0]!,
  };
}

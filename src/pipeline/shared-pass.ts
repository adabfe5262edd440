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
  /** One encoding for each utterance, then those of what stands around and is read by the model too: tools, documents. */
  everything(): Promise<readonly Encoding[]>;
}

/** Made when first asked for. Without a guard only the last user turn is read. */
export function sharedPass(encode: Encode, chat: Chat, wants: Wants, waiting: Waiting): SharedPass {
  const guarded = wants.entities || wants.jailbreak;
  const spoken = guarded ? chat.utterances : [chat.utterances[chat.lastUser]!];
  const around = guarded ? surroundingTexts(chat) : [];
  const texts = [...spoken, ...around].map(({ text }) => text);
  let pass: Promise<readonly Encoding[]> | undefined;
  const everything = () => (pass ??= encode(texts, wants, waiting.signal));
  return {
    everything,
    lastUser: async () => (await everything())[guarded ? chat.lastUser : 0]!,
  };
}

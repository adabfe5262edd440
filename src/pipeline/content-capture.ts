import type { SpokenChoice } from "../chat/answer-text.ts";
import { type Chat, readChat } from "../chat/request.ts";
import { surroundingTexts } from "../chat/request-surroundings.ts";
import type { SharedPass } from "./shared-pass.ts";

/** Attributes with content, redacted and cut. */
export type Recorded = readonly (readonly [key: string, text: string])[];

/** How prompts and answers become attributes; `known` is the personal data that was found in the request. */
export type MakeRecorder = (
  known: readonly { readonly type: string; readonly value: string }[],
) => Promise<Recorder | undefined>;

export interface Recorder {
  readonly gatherChars: number;
  prompt(
    texts: readonly { readonly role: string; readonly text: string; readonly message: string }[],
    instructions: string | undefined,
  ): Recorded;
  answer(choices: readonly SpokenChoice[]): Recorded;
}

/** What the upstream span is to say of the prompt, and how it is told of the answer. */
export interface Content {
  readonly prompt: Recorded;
  readonly gatherChars: number;
  answer(choices: readonly SpokenChoice[]): Recorded;
}

export interface Sent {
  /** The body as it goes upstream, where it is not the client's. */
  readonly body: Uint8Array | undefined;
  /** The system prompt that was put into it. */
  readonly instructions: string | undefined;
}

/** No JSON that was read once is deeper. */
const deepest = 1000;

/**
 * Records what is sent and answered, for traces that hold content. What cannot be redacted is not recorded: a detector of
 * personal data that is on and could not work leaves a span without content. Never rejects.
 * @param entities whether the shared pass looks for personal data.
 */
export const contentCapture =
  (makeRecorder: MakeRecorder, entities: boolean) =>
  async (chat: Chat, { body, instructions }: Sent, pass: SharedPass): Promise<Content | undefined> => {
    try {
      const recorder = await makeRecorder(entities ? await personalData(chat, pass) : []);
      const sent = body && readChat(body, chat.endpoint, { maxDepth: deepest });
      if (!recorder || sent?.kind === "malformed") return undefined;
      const texts = (sent?.chat ?? chat).utterances.map(({ role, text, where }) => ({
        role,
        text,
        message: /^\w+(?:\[\d+\])?/.exec(where)?.[0] ?? where,
      }));
      return {
        prompt: recorder.prompt(texts, instructions),
        gatherChars: recorder.gatherChars,
        answer: (choices) => recorder.answer(choices),
      };
    } catch {
      return undefined;
    }
  };

/** Everything found, however weak: the threshold is for refusing, and a trace loses nothing by a word too many. */
async function personalData(chat: Chat, pass: SharedPass) {
  const encodings = await pass.everything();
  const texts = [...chat.utterances, ...surroundingTexts(chat)];
  if (encodings.length !== texts.length) throw new Error("the pass has read other texts");
  return encodings.flatMap(({ entities }, i) =>
    entities.map(({ type, start, end }) => ({ type, value: texts[i]!.text.slice(start, end) })),
  );
}

import type { SpokenChoice } from "../chat/answer-text.ts";
import { type Chat, readChat } from "../chat/request.ts";
import { withoutEscapes } from "../chat/request-text.ts";
import { mostChars, mostTexts } from "../telemetry/content.ts";
import type { SharedPass } from "./shared-pass.ts";

/** Attributes with content, redacted and cut; `true` says something of it. */
export type Recorded = readonly (readonly [key: string, value: string | true])[];

/** How prompts and answers of an exchange become attributes; `known` is the personal data found in the request. */
export type MakeRecorder = (
  known: readonly { readonly type: string; readonly value: string }[],
) => Promise<Recorder | undefined>;

interface PromptText {
  readonly role: string;
  readonly text: string;
  readonly message: string;
}

export interface Recorder {
  readonly gatherChars: number;
  answer(choices: readonly SpokenChoice[]): Recorded;
  prompt(texts: readonly PromptText[], instructions: string | undefined): Recorded;
}

/** What the upstream span is to say of the exchange. It is made when asked for, once the exchange is over: it takes time. */
export interface Content {
  readonly gatherChars: number;
  /** Asked before `prompt`, if at all: of what there is room for, the answer comes first. Empty where it cannot be made. */
  answer(choices: readonly SpokenChoice[]): Recorded;
  /** Made anew each time it is read. Empty where it cannot be made. */
  readonly prompt: Recorded;
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
      const recorder = await makeRecorder(entities ? await personalData(pass) : []);
      const sent = body && readChat(body, chat.endpoint, { maxDepth: deepest });
      if (!recorder || sent?.kind === "malformed") return undefined;
      const texts = newest((sent?.chat ?? chat).utterances, recorder.gatherChars);
      return {
        gatherChars: recorder.gatherChars,
        answer: (choices) => orNothing(() => recorder.answer(choices)),
        get prompt() {
          return orNothing(() => recorder.prompt(texts, instructions));
        },
      };
    } catch {
      return undefined;
    }
  };

/** What a recorder has room for, and no more, for it is held until the answer has passed. */
function newest(utterances: Chat["utterances"], gatherChars: number): PromptText[] {
  const texts: PromptText[] = [];
  let room = mostChars;
  for (const { role, text: sent, where } of utterances.slice(-mostTexts - 1).reverse()) {
    if (room < 0) break;
    const text = where.endsWith(".arguments") ? withoutEscapes(sent) : sent;
    const message = /^\w+(?:\[\d+\])?/.exec(where)?.[0] ?? where;
    texts.unshift({ role, text: beginning(text, Math.min(gatherChars, room)), message });
    room -= Math.min(gatherChars, text.length);
  }
  return texts;
}

/** `most` characters of a text and one more, which says that it goes on; not a view, which would hold all of it. */
function beginning(text: string, most: number): string {
  if (text.length <= most) return text;
  return Buffer.from(text.slice(0, most + 1), "utf16le").toString("utf16le");
}

function orNothing(record: () => Recorded): Recorded {
  try {
    return record();
  } catch {
    return [];
  }
}

/** Everything found, however weak: the threshold is for refusing, and a trace loses nothing by a word too many. */
async function personalData({ utterances, read }: SharedPass) {
  const { entities, effort } = await read();
  // What was found beyond the most that is told cannot be redacted.
  if (effort.entitiesLeftOut) throw new Error("not all that was found is known");
  if (entities.length !== utterances.length) throw new Error("the pass has read other texts");
  return entities.flatMap((found, i) =>
    found.map(({ type, start, end }) => ({ type, value: utterances[i]!.text.slice(start, end) })),
  );
}

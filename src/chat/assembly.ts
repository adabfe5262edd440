import { absent, choicesOf, type Fields, fieldsOf, indexOf } from "./answer.ts";

/** What a message may say in text, in the order it is said. vLLM has had both names for the reasoning. */
export const SPOKEN = ["reasoning_content", "reasoning", "content"] as const;
type Spoken = (typeof SPOKEN)[number];

interface Choice {
  readonly said: Partial<Record<Spoken, string>>;
  finishReason: string | undefined;
}

/** The frames of a stream put together into the completion that the same request without `stream` would have had. */
export class Assembly {
  readonly #limit: number;
  readonly #choices = new Map<number, Choice>();
  #head: Fields | undefined;
  #usage: Fields | undefined;
  #length = 0;

  /** `limit`: UTF-16 units of text over all choices. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when the frame holds what a completion put together from text cannot: the assembly is then worthless. */
  add(frame: Fields): boolean {
    if (!absent(frame.error) || frame.object === "error") return false;
    this.#usage = fieldsOf(frame.usage) ?? this.#usage;
    const choices = choicesOf(frame);
    // Some servers open with a frame about the prompt that names neither id nor model.
    if (choices.length > 0) this.#head ??= frame;
    return choices.every((choice, position) => this.#addChoice(choice, position));
  }

  #addChoice(from: Fields, position: number): boolean {
    const index = indexOf(from, position);
    if (index === undefined || !absent(from.logprobs)) return false;
    let choice = this.#choices.get(index);
    if (!choice) {
      choice = { said: {}, finishReason: undefined };
      this.#choices.set(index, choice);
    }
    if (typeof from.finish_reason === "string") choice.finishReason = from.finish_reason;
    if (!absent(from.text) && !this.#say(choice, "content", from.text)) return false;
    const delta = fieldsOf(from.delta) ?? {};
    for (const field of Object.keys(delta)) {
      const value = delta[field];
      if (field === "role" || absent(value)) continue;
      if (!isSpoken(field) || !this.#say(choice, field, value)) return false;
    }
    return true;
  }

  #say(choice: Choice, field: Spoken, text: unknown): boolean {
    if (typeof text !== "string") return false;
    this.#length += text.length;
    choice.said[field] = (choice.said[field] ?? "") + text;
    return this.#length <= this.#limit;
  }

  /** The whole as JSON fields; undefined when the frames were not those of a completion. */
  completion(): Fields | undefined {
    const head = this.#head;
    if (!head) return undefined;
    const chat = head.object === "chat.completion.chunk";
    if (!chat && head.object !== "text_completion") return undefined;
    const choices = [...this.#choices].sort(([a], [b]) => a - b);
    return {
      id: head.id,
      object: chat ? "chat.completion" : "text_completion",
      created: head.created,
      model: head.model,
      ...(typeof head.system_fingerprint === "string" && { system_fingerprint: head.system_fingerprint }),
      choices: choices.map(([index, { said, finishReason }]) => ({
        index,
        ...(chat ? { message: { role: "assistant", ...inOrder(said) } } : { text: said.content }),
        finish_reason: finishReason,
      })),
      ...(this.#usage && { usage: this.#usage }),
    };
  }
}

function isSpoken(field: string): field is Spoken {
  return (SPOKEN as readonly string[]).includes(field);
}

function inOrder(said: Choice["said"]): Fields {
  return Object.fromEntries(SPOKEN.filter((field) => said[field]).map((field) => [field, said[field]]));
}

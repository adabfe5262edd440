import { choicesOf, type Fields, fieldsOf, indexOf } from "./answer.ts";
import { finishReasonOf } from "./finish-reason.ts";
import { SpokenCalls } from "./spoken-calls.ts";

/** What one choice of an answer says. A text longer than asked for may not be whole. */
export interface SpokenChoice {
  readonly index: number;
  readonly text: string;
  /** What a reasoning model thought before. */
  readonly reasoning: string;
  /** Names and arguments of tool calls, one a line, their escapes resolved. */
  readonly calls: string;
  /** One of the known ones, or `other`. */
  readonly finishReason?: string | undefined;
}

interface Gathered {
  readonly index: number;
  /** By where it stands, for what stands elsewhere is no continuation. */
  readonly text: { completion: string; content: string; refusal: string };
  reasoning: string;
  readonly calls: SpokenCalls;
  finishReason: string | undefined;
}

/** Gathers what an answer says, from a whole completion or from the frames of a stream, whatever their fields hold. */
export class AnswerText {
  readonly #limit: number;
  readonly #all: Gathered[] = [];
  readonly #byIndex = new Map<number, Gathered>();

  /** `limit`: characters of each text of each choice; once it is passed, nothing is added. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A frame of a stream: what it says continues what the choice with the same index has said. */
  addFrame(frame: Fields): void {
    for (const [position, from] of choicesOf(frame).entries()) {
      const index = indexOf(from, position);
      if (index !== undefined) this.#add(this.#byIndex.get(index) ?? this.#begin(index), from, false);
    }
  }

  /** A completion: each choice stands by itself, also two with the same index. */
  addWhole(completion: Fields): void {
    for (const [position, from] of choicesOf(completion).entries()) {
      const index = indexOf(from, position);
      if (index !== undefined) this.#add(this.#begin(index), from, true);
    }
  }

  /** In the order of their indices. */
  choices(): readonly SpokenChoice[] {
    return this.#all
      .map(({ index, text, reasoning, calls, finishReason }) => ({
        index,
        text: [text.completion, text.content, text.refusal].filter((one) => one !== "").join("\n"),
        reasoning,
        calls: calls.text(),
        finishReason,
      }))
      .sort((a, b) => a.index - b.index);
  }

  #begin(index: number): Gathered {
    const choice: Gathered = {
      index,
      text: { completion: "", content: "", refusal: "" },
      reasoning: "",
      calls: new SpokenCalls(this.#limit),
      finishReason: undefined,
    };
    this.#all.push(choice);
    this.#byIndex.set(index, choice);
    return choice;
  }

  #add(choice: Gathered, from: Fields, whole: boolean): void {
    const { text } = choice;
    choice.finishReason = finishReasonOf(from.finish_reason) ?? choice.finishReason;
    text.completion = this.#longer(text.completion, from.text);
    const said = fieldsOf(from.delta) ?? fieldsOf(from.message);
    if (!said) return;
    choice.reasoning = this.#longer(choice.reasoning, said.reasoning_content ?? said.reasoning);
    text.content = this.#longer(text.content, said.content);
    text.refusal = this.#longer(text.refusal, said.refusal);
    choice.calls.add(said, whole);
  }

  #longer(text: string, more: unknown): string {
    return typeof more === "string" && text.length <= this.#limit ? text + more : text;
  }
}

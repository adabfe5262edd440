import { choicesOf, type Fields, fieldsOf, indexOf, nameOf } from "./answer.ts";

/** What one choice of an answer says. Texts may be longer than asked for by one piece, and then are not whole. */
export interface SpokenChoice {
  readonly index: number;
  readonly text: string;
  /** What a reasoning model thought before. */
  readonly reasoning: string;
  /** Names and arguments of tool calls, in the order they came. */
  readonly calls: string;
  readonly finishReason?: string | undefined;
}

type Writable = { -readonly [K in keyof SpokenChoice]: SpokenChoice[K] };

/** Gathers what an answer says, from a whole completion or from the frames of a stream, whatever their fields hold. */
export class AnswerText {
  readonly #limit: number;
  readonly #choices = new Map<number, Writable>();

  /** `limit`: characters of each text of each choice; once it is passed, nothing is added. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(answer: Fields): void {
    for (const [position, from] of choicesOf(answer).entries()) {
      const index = indexOf(from, position);
      if (index === undefined) continue;
      let choice = this.#choices.get(index);
      if (!choice) {
        choice = { index, text: "", reasoning: "", calls: "" };
        this.#choices.set(index, choice);
      }
      choice.finishReason = nameOf(from.finish_reason) ?? choice.finishReason;
      this.#say(choice, "text", from.text);
      const said = fieldsOf(from.delta) ?? fieldsOf(from.message);
      if (!said) continue;
      this.#say(choice, "reasoning", said.reasoning_content ?? said.reasoning);
      this.#say(choice, "text", said.content);
      this.#say(choice, "text", said.refusal);
      for (const call of callsIn(said)) {
        if (call.name !== undefined && choice.calls !== "") this.#say(choice, "calls", "\n");
        this.#say(choice, "calls", call.name);
        this.#say(choice, "calls", call.arguments);
      }
    }
  }

  /** In the order of their indices. */
  choices(): readonly SpokenChoice[] {
    return [...this.#choices.values()].sort((a, b) => a.index - b.index);
  }

  #say(choice: Writable, field: "text" | "reasoning" | "calls", more: unknown): void {
    if (typeof more === "string" && choice[field].length <= this.#limit) choice[field] += more;
  }
}

function callsIn({ tool_calls, function_call }: Fields): Fields[] {
  const calls = Array.isArray(tool_calls) ? tool_calls.map((call) => fieldsOf(fieldsOf(call)?.function)) : [];
  return [...calls, fieldsOf(function_call)].filter((call) => call !== undefined);
}

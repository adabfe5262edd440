import {
  type BodyReader,
  choicesOf,
  type Fields,
  indexOf,
  nameOf,
  parseFields,
  type Usage,
  usageOf,
} from "./answer.ts";
import type { AnswerText } from "./answer-text.ts";
import { Assembly } from "./assembly.ts";
import { finishReasonOf } from "./finish-reason.ts";
import { SseParser } from "./sse.ts";
import { storable } from "./storable.ts";

// Inside a JSON string every quote is escaped, so these cannot match what a model wrote.
const GENERATED = /"(?:content|text|reasoning_content|reasoning|refusal|arguments)"\s*:\s*"[^"]/;
const TELLING = /"(?:finish_reason"\s*:\s*"|usage"\s*:\s*\{)/;

/** Frames that are not JSON, after which none is parsed any more: each costs as much as twenty good ones. */
const PATIENCE = 16;

export interface StreamOptions {
  /** Whether `storable` is wanted. */
  readonly keep: boolean;
  /** Most bytes held of one event, and of `storable`. */
  readonly limit: number;
  /** Choices that were asked for. */
  readonly choices: number;
  readonly said?: AnswerText | undefined;
}

/** An event stream of completion frames. Unless kept or `said` gathers what is said, only frames that tell something about the whole are parsed. */
export function readStream({ keep, limit, choices, said }: StreamOptions): BodyReader {
  let assembly = keep ? new Assembly(limit) : undefined;
  let id: string | undefined;
  let model: string | undefined;
  let reported: Usage | undefined;
  /** Nothing can be generated that `reported` does not count. */
  let settled = false;
  const reasons = new Map<number, string>();
  let generated = 0;
  let broken = 0;
  let done = false;

  const parser = new SseParser(limit, (data, name) => {
    if (done) return;
    if (data.startsWith("[DONE]")) {
      done = true;
      return;
    }
    if (GENERATED.test(data)) {
      generated++;
      settled = false;
    }
    if (name === "error") assembly = undefined;
    const telling = id === undefined || model === undefined || TELLING.test(data);
    if (broken > PATIENCE || !(assembly || said || telling)) return;
    const frame = parseFields(data);
    if (!frame) broken++;
    else if (telling) note(frame);
    if (frame) said?.addFrame(frame);
    if (assembly && !(frame && assembly.add(frame))) assembly = undefined;
  });

  function note(frame: Fields): void {
    id ??= nameOf(frame.id);
    model ??= nameOf(frame.model);
    for (const [position, choice] of choicesOf(frame).entries()) {
      const index = indexOf(choice, position);
      const reason = finishReasonOf(choice.finish_reason);
      if (index !== undefined && reason !== undefined) reasons.set(index, reason);
    }
    const usage = usageOf(frame.usage);
    if (!usage) return;
    reported = usage;
    // OpenAI's last usage frame has no choices; other servers report with the finish, or all along.
    const last = Array.isArray(frame.choices) && frame.choices.length === 0;
    settled = last || reasons.size >= choices;
  }

  /** Counts reported along the way are not the final ones of a stream that was cut. */
  function usage(complete: boolean): Usage | undefined {
    if (reported) return complete || done || settled ? reported : { ...reported, estimated: true };
    return generated > 0 ? { outputTokens: generated, estimated: true } : undefined;
  }

  return {
    chunk: (bytes) => parser.push(bytes),
    end(complete) {
      parser.end();
      const counted = usage(complete);
      const whole = complete && done && parser.dropped === 0 ? assembly?.completion() : undefined;
      const kept = whole && storable(whole, limit);
      assembly = undefined;
      return {
        ...(id !== undefined && { id }),
        ...(model !== undefined && { model }),
        finishReasons: [...reasons].sort(([a], [b]) => a - b).map(([, reason]) => reason),
        ...(counted && { usage: counted }),
        ...(done && { done }),
        ...(said && { choices: said.choices() }),
        ...(kept && { storable: kept }),
      };
    },
  };
}

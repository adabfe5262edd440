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
import { SseParser } from "./sse.ts";
import { storable } from "./storable.ts";

// Inside a JSON string every quote is escaped, so these cannot match what a model wrote.
const GENERATED = /"(?:content|text|reasoning_content|reasoning|refusal|arguments)"\s*:\s*"[^"]/;
const TELLING = /"(?:finish_reason"\s*:\s*"|usage"\s*:\s*\{)/;

/** Frames that are not JSON, after which none is parsed any more: each costs as much as twenty good ones. */
const PATIENCE = 16;

/** An event stream of completion frames. Unless kept or `said` gathers what is said, only frames that tell something about the whole are parsed. */
export function readStream(keep: boolean, limit: number, said?: AnswerText): BodyReader {
  let assembly = keep ? new Assembly(limit) : undefined;
  let id: string | undefined;
  let model: string | undefined;
  let reported: Usage | undefined;
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
    if (GENERATED.test(data)) generated++;
    if (name === "error") assembly = undefined;
    const telling = id === undefined || model === undefined || TELLING.test(data);
    if (broken > PATIENCE || !(assembly || said || telling)) return;
    const frame = parseFields(data);
    if (!frame) broken++;
    else if (telling) note(frame);
    if (frame) said?.add(frame);
    if (assembly && !(frame && assembly.add(frame))) assembly = undefined;
  });

  function note(frame: Fields): void {
    id ??= nameOf(frame.id);
    model ??= nameOf(frame.model);
    reported = usageOf(frame.usage) ?? reported;
    for (const [position, choice] of choicesOf(frame).entries()) {
      const index = indexOf(choice, position);
      const reason = nameOf(choice.finish_reason);
      if (index !== undefined && reason !== undefined) reasons.set(index, reason);
    }
  }

  /** Counts reported along the way are not the final ones when the stream was cut before any choice had ended. */
  function usage(complete: boolean): Usage | undefined {
    if (reported) return complete || done || reasons.size > 0 ? reported : { ...reported, estimated: true };
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

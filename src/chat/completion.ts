import { type BodyReader, choicesOf, nameOf, parseFields, type Said, usageOf } from "./answer.ts";
import { AnswerText } from "./answer-text.ts";
import { finishReasonOf } from "./finish-reason.ts";
import { Gather } from "./gather.ts";
import { storable } from "./storable.ts";
import { readStream } from "./stream.ts";

export type { Usage } from "./answer.ts";

export interface Completion extends Said {
  /** "other": neither JSON nor an event stream, or compressed: only counted. */
  readonly form: "json" | "sse" | "other";
  /** The caller's clock when the first body byte passed. */
  readonly firstChunkAtMs?: number;
  /** Non-empty chunks. */
  readonly chunks: number;
}

/** Reads an answer as it streams by. Never throws, whatever the bytes are. */
export interface CompletionReader {
  /** Bytes as they pass; chunks align with nothing. `atMs` is the caller's clock. Ignored after `end`. */
  chunk(bytes: Uint8Array, atMs: number): void;
  /** The response ended, by itself (`complete`) or cut. The first call decides; later ones return the same. */
  end(complete: boolean): Completion;
}

export interface ReadOptions {
  readonly contentType: string | undefined;
  readonly contentEncoding?: string | undefined;
  /** HTTP status; only 2xx answers may be stored. */
  readonly status: number;
  /** Whether `storable` is wanted. */
  readonly keep: boolean;
  /** Characters wanted of each text that is said; default: `choices` is not wanted. */
  readonly saidChars?: number | undefined;
  /** Choices that were asked for: counts reported before all have ended are no final ones. Default 1. */
  readonly choices?: number | undefined;
  /** Most bytes held of a JSON body, of one event, and of `storable`. Default 4 MiB. */
  readonly limitBytes?: number;
}

export function readCompletion(options: ReadOptions): CompletionReader {
  const form = formOf(options);
  const keep = options.keep && options.status >= 200 && options.status < 300;
  const limit = options.limitBytes ?? 4 * 1024 * 1024;
  const said = options.saidChars === undefined ? undefined : new AnswerText(options.saidChars);
  const body =
    form === "json"
      ? readJson(keep, limit, said)
      : form === "sse"
        ? readStream({ keep, limit, said, choices: options.choices ?? 1 })
        : undefined;
  let chunks = 0;
  let firstChunkAtMs: number | undefined;
  let completion: Completion | undefined;
  return {
    chunk(bytes, atMs) {
      if (completion || bytes.length === 0) return;
      if (chunks === 0) firstChunkAtMs = atMs;
      chunks++;
      body?.chunk(bytes);
    },
    end(complete) {
      completion ??= {
        form,
        ...(body?.end(complete) ?? { finishReasons: [] }),
        ...(firstChunkAtMs !== undefined && { firstChunkAtMs }),
        chunks,
      };
      return completion;
    },
  };
}

function formOf({ contentType = "", contentEncoding = "" }: ReadOptions): Completion["form"] {
  if (!/^\s*(?:identity\s*)?$/i.test(contentEncoding)) return "other";
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "text/event-stream") return "sse";
  return type === "application/json" || type.endsWith("+json") ? "json" : "other";
}

function readJson(keep: boolean, limit: number, said: AnswerText | undefined): BodyReader {
  const body = new Gather(limit);
  return {
    chunk: (bytes) => body.add(bytes, 0, bytes.length),
    end(complete) {
      const answer = body.length > 0 ? parseFields(body.text()) : undefined;
      body.clear();
      if (!answer) return { finishReasons: [] };
      said?.addWhole(answer);
      const id = nameOf(answer.id);
      const model = nameOf(answer.model);
      const usage = usageOf(answer.usage);
      const kept = keep && complete ? storable(answer, limit) : undefined;
      const reasons = choicesOf(answer).map((choice) => finishReasonOf(choice.finish_reason));
      return {
        ...(id !== undefined && { id }),
        ...(model !== undefined && { model }),
        finishReasons: reasons.filter((reason) => reason !== undefined),
        ...(usage && { usage }),
        ...(said && { choices: said.choices() }),
        ...(kept && { storable: kept }),
      };
    },
  };
}

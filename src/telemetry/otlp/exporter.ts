import type { OtlpSettings } from "../settings.ts";
import type { Origin, TraceExporter, Unsent } from "../trace-exporter.ts";
import type { Piece, Reason, Released, Settled } from "./messages.ts";
import { encodePieces } from "./pieces.ts";
import { keepThread } from "./thread.ts";
import { together } from "./together.ts";

export interface OtlpExporter extends TraceExporter {
  rest(): void;
  release(): Promise<readonly Unsent[]>;
  adopt(pieces: readonly Unsent[]): void;
  /** Ends the sending thread as a crash would. For tests. */
  kill(): Promise<void>;
}

type Pending = Omit<Unsent, "bytes">;

/**
 * OTLP over gRPC or http/protobuf. Here traces are encoded; all else - gathering, compression, sending, retries - is the
 * work of a thread of its own, which gets the bytes without a copy. docs/decisions/0008 has why we encode.
 */
export function otlpExporter(settings: OtlpSettings, origin: Origin): OtlpExporter {
  const endpoint = new URL(settings.url).origin;
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let resting = false;
  let closing: Promise<void> | undefined;
  let emptied = (): void => {};
  let releasing: ((pieces: readonly Piece[]) => void) | undefined;

  const take = (id: number): Pending | undefined => {
    const piece = pending.get(id);
    pending.delete(id);
    return piece;
  };
  const whenEmpty = (): void => {
    if (pending.size > 0) return;
    emptied();
    if (resting) thread.rest();
  };
  const settled = ({ ids, failed, reason, message }: Settled): void => {
    for (const [i, id] of ids.entries()) {
      const piece = take(id);
      const lost = failed[i] ?? 0;
      const why = lost > 0 && reason !== undefined ? { reason } : {};
      // Of a warning, one piece tells; those that lost nothing in a failed request have nothing to tell.
      const tells = message !== undefined && (lost > 0 || (reason === undefined && i === 0));
      piece?.done({ exported: piece.spans - lost, failed: lost, ...why, ...(tells && { message }) });
    }
    whenEmpty();
  };
  const failAll = (reason: Reason, message: string): void => {
    for (const { spans, done } of [...pending.keys()].map((id) => take(id)!)) {
      done({ exported: 0, failed: spans, reason, message });
    }
    releasing?.([]);
    whenEmpty();
  };

  const userAgent = `semantic-router-otlp/${origin.scope.version}`;
  const thread = keepThread(
    { settings, userAgent },
    (message: Settled | Released) =>
      "released" in message ? releasing?.(message.released) : settled(message),
    (cause) => failAll("worker_died", `the thread that sends spans ended (${cause}); it is started again`),
  );

  const enqueue = ({ bytes, spans, done }: Unsent): void => {
    if (closing) {
      const message = `${endpoint}: the exporter is shut down`;
      queueMicrotask(() => done({ exported: 0, failed: spans, reason: "shutdown", message }));
      return;
    }
    lastId += 1;
    pending.set(lastId, { spans, done });
    thread.post({ id: lastId, spans, bytes } satisfies Piece, [bytes.buffer]);
  };

  async function close(deadlineMs: number): Promise<void> {
    if (pending.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      emptied = resolve;
      thread.hurry();
      thread.post({ shutdownMs: deadlineMs }, []);
      const timer = setTimeout(resolve, deadlineMs);
      await promise;
      clearTimeout(timer);
    }
    failAll("shutdown", `${endpoint}: no answer before the end (${deadlineMs} ms)`);
    await thread.end();
  }

  return {
    export(traces, done) {
      const parts = encodePieces(traces, origin);
      const part = together(parts.length, done);
      let held = 0;
      for (const one of parts) {
        if ("bytes" in one) {
          held += one.bytes.length;
          enqueue({ ...one, done: part });
        } else {
          part({ exported: 0, failed: one.spans, reason: "too_large", message: one.message });
        }
      }
      return held;
    },
    rest() {
      resting = true;
      if (pending.size === 0) thread.rest();
    },
    async release() {
      if (closing || releasing || pending.size === 0) return [];
      const { promise, resolve } = Promise.withResolvers<readonly Piece[]>();
      releasing = resolve;
      thread.hurry();
      thread.post({ release: true }, []);
      const unsent = (await promise).flatMap(({ id, bytes }) => {
        const piece = take(id);
        return piece ? [{ ...piece, bytes }] : [];
      });
      releasing = undefined;
      whenEmpty();
      return unsent;
    },
    adopt(pieces) {
      for (const piece of pieces) enqueue(piece);
    },
    shutdown(deadlineMs) {
      closing ??= close(deadlineMs);
      return closing;
    },
    kill: () => thread.kill(),
  };
}

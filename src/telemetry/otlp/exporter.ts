import { encodeTraces } from "../otlp-encode.ts";
import type { OtlpSettings } from "../settings.ts";
import { type Exported, type Origin, spansIn, type TraceExporter } from "../trace-exporter.ts";
import type { Piece, Reason, Settled } from "./messages.ts";
import { keepThread } from "./thread.ts";

export interface OtlpExporter extends TraceExporter {
  /** Ends the sending thread as a crash would. For tests. */
  kill(): Promise<void>;
}

interface Pending {
  readonly spans: number;
  readonly done: (result: Exported) => void;
}

/**
 * OTLP over gRPC or http/protobuf. Here traces are encoded; all else - gathering, compression, sending, retries - is the
 * work of a thread of its own, which gets the bytes without a copy. docs/decisions/0008 has why we encode.
 */
export function otlpExporter(settings: OtlpSettings, origin: Origin): OtlpExporter {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let closing: Promise<void> | undefined;
  let emptied = (): void => {};

  const answer = (id: number, failed: number, why: Pick<Exported, "reason" | "message">): void => {
    const piece = pending.get(id);
    if (!piece) return;
    pending.delete(id);
    piece.done({ exported: piece.spans - failed, failed, ...why });
    if (pending.size === 0) emptied();
  };
  const settled = ({ ids, failed, reason, message }: Settled): void => {
    for (const [i, id] of ids.entries()) {
      const lost = failed[i] ?? 0;
      const why = lost > 0 && reason !== undefined ? { reason } : {};
      // Of one warning or rejection, one piece tells; those that lost nothing in a failed request have nothing to tell.
      const tells = message !== undefined && (lost > 0 || (reason === undefined && i === 0));
      answer(id, lost, { ...why, ...(tells && { message }) });
    }
  };
  const failAll = (reason: Reason, message: string): void => {
    for (const [id, { spans }] of [...pending]) answer(id, spans, { reason, message });
  };

  const userAgent = `semantic-router-otlp/${origin.scope.version}`;
  const thread = keepThread({ settings, userAgent }, settled, (cause) =>
    failAll("worker_died", `the thread that sends spans ended (${cause}); it is started again`),
  );

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
    const endpoint = new URL(settings.url).origin;
    failAll("shutdown", `${endpoint}: no answer before the end (${deadlineMs} ms)`);
    await thread.end();
  }

  return {
    export(traces, done) {
      const spans = spansIn(traces);
      if (closing) {
        const message = "the exporter is shut down";
        queueMicrotask(() => done({ exported: 0, failed: spans, reason: "shutdown", message }));
        return 0;
      }
      const bytes = ownMemory(encodeTraces(traces, origin));
      const { length } = bytes;
      lastId += 1;
      pending.set(lastId, { spans, done });
      thread.post({ id: lastId, spans, bytes } satisfies Piece, [bytes.buffer]);
      return length;
    },
    shutdown(deadlineMs) {
      closing ??= close(deadlineMs);
      return closing;
    },
    kill: () => thread.kill(),
  };
}

/** Small buffers share memory with others, which must not be handed over with them. */
function ownMemory(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

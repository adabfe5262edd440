import type { Piece, Settled } from "../../../src/telemetry/otlp/messages.ts";
import { outbox } from "../../../src/telemetry/otlp/outbox.ts";
import { type Answer, failure, type Transport } from "../../../src/telemetry/otlp/transport.ts";
import { settingsFor } from "./collectors.ts";

export const taken: Answer = { accepted: true, rejected: 0, message: "" };
export const busy = failure("unavailable", "busy", true);
export const slow = failure("timeout", "slow", true);

export type Sent = { readonly bytes: number; answer(answer: Answer): void };

/** An outbox whose requests wait to be answered by the test. */
export function boxed(batch: object, retry: object = {}) {
  const sent: Sent[] = [];
  const settled: Settled[] = [];
  const transport: Transport = {
    pack: async (pieces) => Buffer.concat(pieces),
    send: ({ length }) => new Promise((answer) => sent.push({ bytes: length, answer })),
  };
  const settings = settingsFor("http://collector:4317", { batch, retry });
  const box = outbox(
    transport,
    settings,
    (one) => settled.push(one),
    () => 0.5,
  );
  let id = 0;
  const add = (spans: number, bytes = spans): void => {
    id += 1;
    box.add({ id, spans, bytes: new Uint8Array(bytes) } satisfies Piece);
  };
  return { ...box, add, sent, settled };
}

export const turn = () => new Promise(setImmediate);
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};

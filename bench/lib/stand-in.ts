import { Worker } from "node:worker_threads";
import type { Encoder, Encoding } from "../../src/models/encode.ts";
import { noEffort } from "../../test/support/fake-encoder.ts";

/** What the worker does with each message: keeps its core busy for a while, then answers. */
const spin = `
const { parentPort } = require("node:worker_threads");
parentPort.on("message", ({ id, ms }) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
  parentPort.postMessage(id);
});`;

const encoding = (labels: number): Encoding => ({
  embedding: Float32Array.from({ length: 64 }, () => Math.random() - 0.5),
  category: Float32Array.from({ length: labels }, (_, i) => (i === 0 ? 0.9 : 0.1 / (labels - 1))),
  jailbreak: 0.01,
  entities: [],
  effort: noEffort,
});

/** An encoder of a chosen duration: the hop to a worker thread and back is real, the work is a busy loop. */
export function standIn(labels: readonly string[], ms: number): Encoder {
  const worker = new Worker(spin, { eval: true });
  const waiting = new Map<number, () => void>();
  let asked = 0;
  worker.on("message", (id: number) => {
    waiting.get(id)?.();
    waiting.delete(id);
  });
  return {
    labels,
    dims: 64,
    fingerprint: `stand-in of ${ms} ms`,
    async encode() {
      asked += 1;
      const id = asked;
      worker.postMessage({ id, ms });
      await new Promise<void>((resolve) => waiting.set(id, resolve));
      return encoding(labels.length);
    },
    close: async () => void (await worker.terminate()),
  };
}

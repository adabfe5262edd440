import { parentPort, workerData } from "node:worker_threads";
import type { About } from "./about.ts";
import type { Encoding, Wants } from "./encode.ts";
import { loadModel, type Model } from "./model.ts";

/** What a worker is started with. */
export interface WorkerData {
  readonly onnxPath: string;
  readonly about: About;
  /** One place per job slot: the number of a job that nobody waits for any more. */
  readonly cancelled: Int32Array;
}

export interface Job {
  readonly id: number;
  readonly slot: number;
  readonly texts: readonly string[];
  readonly wants: Wants;
}

/** `id` 0: the worker is ready, or could not load the model. No message holds text of a request. */
export type Reply =
  | { readonly id: number; readonly encodings: readonly Encoding[] }
  | { readonly id: number; readonly failure: string };

const port = parentPort;
if (port) {
  const { onnxPath, about, cancelled } = workerData as WorkerData;
  const send = (reply: Reply): void => port.postMessage(reply);
  try {
    const model = await loadModel(onnxPath, about);
    await model.encode(
      "warm up",
      { category: true, jailbreak: true, entities: true, embedding: true },
      () => false,
    );
    let last: Promise<void> = Promise.resolve();
    port.on("message", (job: Job) => {
      last = last.then(() => work(model, job, cancelled, send));
    });
    send({ id: 0, encodings: [] });
  } catch (error) {
    send({ id: 0, failure: error instanceof Error ? error.message : "unknown failure" });
  }
}

async function work(
  model: Model,
  { id, slot, texts, wants }: Job,
  cancelled: Int32Array,
  send: (reply: Reply) => void,
): Promise<void> {
  const stopped = (): boolean => Atomics.load(cancelled, slot) === id;
  try {
    const encodings: Encoding[] = [];
    for (const text of texts) {
      if (stopped()) throw new Error("stopped");
      encodings.push(await model.encode(text, wants, stopped));
    }
    send({ id, encodings });
  } catch (error) {
    // Only the kind of error: a message from below might quote its input.
    send({ id, failure: error instanceof Error ? error.name : "unknown" });
  }
}

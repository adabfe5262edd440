import { parentPort, type Transferable, workerData } from "node:worker_threads";
import { type ModelFiles, REMEDY } from "./about.ts";
import { hidden } from "./disguise/hidden.ts";
import { reveal } from "./disguise/reveal.ts";
import { type Encoding, type Reading, sizeOf, type Wants } from "./encode.ts";
import { type Gate, inside } from "./gate.ts";
import { loadUnchanged, textOf } from "./intact.ts";
import { loadModel } from "./model.ts";
import { NUMBER_DIMS } from "./numbers.ts";
import type { OwnModel, OwnModelSpec, OwnModels } from "./own/own.ts";
import type { Reader } from "./reader.ts";
import { read } from "./reading.ts";
import { recognise } from "./recognisers.ts";
import { Remembered } from "./remembered.ts";
import { decodeTags } from "./tags.ts";
import { Turns } from "./turns.ts";
import { readTokenizer } from "./wordpiece/tokenizer.ts";

/** What a worker is started with. */
export interface WorkerData {
  readonly files: ModelFiles;
  /** Models of the operator's own, each in the place of one of the model's heads. */
  readonly own: readonly OwnModelSpec[];
  /** Threads that share the work of one window, of each model. */
  readonly threads: number;
  readonly gate: Gate;
  /** One place per job slot: the number of a job that nobody waits for any more. */
  readonly cancelled: Int32Array;
}

export interface Job {
  readonly id: number;
  readonly slot: number;
  readonly reading: Reading;
  readonly wants: Wants;
}

/** Ends the thread between two windows, whatever it has to do. */
export type End = "end";

/** What is fixed about the models of a thread. */
export interface Served {
  /** In the order of `Encoding.category`. */
  readonly labels: readonly string[];
  /** Length of `Encoding.embedding`. */
  readonly dims: number;
  /** Of the model that makes the embedding. */
  readonly fingerprint: string;
  /** What the operator's own models say of themselves, by task. */
  readonly own: Readonly<Record<string, Pick<OwnModel, "labels" | "dims" | "fingerprint">>>;
}

/** `ready`: all models are loaded. `id` 0 with a failure: it could not be. No message holds text of a request. */
export type Reply =
  | { readonly id: 0; readonly ready: Served }
  | { readonly id: number; readonly encoding: Encoding }
  | { readonly id: number; readonly failure: string };

/** A job that has begun. */
interface Task extends Pick<Job, "id" | "slot"> {
  readonly steps: AsyncGenerator<number, Encoding, void>;
  left: number;
}

const REMEMBERED_BYTES = 8 << 20;

const port = parentPort;
if (port) {
  const data = workerData as WorkerData;
  const send = (reply: Reply, transfer: Transferable[] = []): void => port.postMessage(reply, transfer);
  try {
    const reader = await loadReader(data);
    const take = serve(reader, data.cancelled, send);
    // Messages arrive between two windows only, and so does the end.
    port.on("message", (message: Job | End) => (message === "end" ? process.exit() : take(message)));
    send({ id: 0, ready: servedBy(reader) });
  } catch (error) {
    send({ id: 0, failure: error instanceof Error ? error.message : "unknown failure" });
  }
}

async function loadReader({ files, own, threads, gate }: WorkerData): Promise<Reader> {
  const { about, onnxPath, tokenizerPath } = files;
  const { onnx, tokenizer } = about.sha256;
  const { run } = await from(onnxPath, () =>
    loadUnchanged(onnxPath, onnx, () => inside(gate, () => loadModel(onnxPath, threads))),
  );
  const wordpiece = await from(tokenizerPath, () => readTokenizer(textOf(tokenizerPath, tokenizer)));
  const types = new Set(about.entity_types);
  return {
    about,
    wordpiece,
    run: (ids, cases) => inside(gate, () => run(ids, cases)),
    remembered: new Remembered(REMEMBERED_BYTES),
    own: await loadOwn(own, threads, gate),
    reveal,
    hidden,
    recognise,
    decode: (text, tokens, logits) => decodeTags(text, tokens, logits, about.tags, types),
  };
}

/** Most have none: then none of its code is loaded either. */
async function loadOwn(specs: readonly OwnModelSpec[], threads: number, gate: Gate): Promise<OwnModels> {
  if (specs.length === 0) return {};
  const { ownModels } = await import("./own/own.ts");
  return ownModels(specs, { threads, inside: (work) => inside(gate, work) });
}

function servedBy({ about, own }: Reader): Served {
  const { category, embedding } = own;
  const { onnx, tokenizer } = about.sha256;
  return {
    labels: category?.labels ?? about.labels,
    dims: embedding?.dims ?? about.dims + NUMBER_DIMS,
    fingerprint: embedding?.fingerprint ?? onnx.slice(0, 8) + tokenizer.slice(0, 8),
    own: Object.fromEntries(
      Object.entries(own).map(([task, { labels, dims, fingerprint }]) => [
        task,
        { labels, dims, fingerprint },
      ]),
    ),
  };
}

async function from<T>(path: string, load: () => T | Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown failure";
    throw new Error(`model file ${path} cannot be loaded (${why}): ${REMEDY}`);
  }
}

/** Takes jobs, and does a step of one of them at a time for as long as there are any. */
function serve(
  reader: Reader,
  cancelled: Int32Array,
  send: (reply: Reply, transfer?: Transferable[]) => void,
): (job: Job) => void {
  const turns = new Turns<Task>();
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    for (;;) {
      for (const task of turns) if (Atomics.load(cancelled, task.slot) === task.id) end(task, "stopped");
      const task = turns.next();
      if (!task) break;
      try {
        const { done, value } = await task.steps.next();
        if (!done) task.left = value;
        else {
          turns.remove(task);
          const { embedding, category } = value;
          send({ id: task.id, encoding: value }, [embedding.buffer, category.buffer] as Transferable[]);
        }
      } catch (error) {
        // Only the kind of error: a message from below might quote its input.
        end(task, error instanceof Error ? error.name : "unknown");
      }
      // Messages arrive between two steps.
      await new Promise(setImmediate);
    }
    busy = false;
  }

  function end(task: Task, failure: string): void {
    turns.remove(task);
    send({ id: task.id, failure });
  }

  return ({ id, slot, reading, wants }) => {
    turns.add({ id, slot, steps: read(reader, reading, wants), left: sizeOf(reading) });
    if (!busy) work().catch(() => {});
  };
}

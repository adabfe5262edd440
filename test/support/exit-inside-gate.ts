import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { type Gate, inside, openGate } from "../../src/models/gate.ts";

/**
 * A process that exits while its thread is inside the gate for a while; the status says how often that came out of it.
 */
interface Shared {
  readonly gate: Gate;
  /** [passages begun, passages ended] */
  readonly counts: Int32Array;
}

if (isMainThread) {
  const { gate } = openGate();
  const counts = new Int32Array(new SharedArrayBuffer(8));
  process.on("exit", () => {
    // Long enough for it to go in again, if it could.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    process.exitCode = 10 * counts[0]! + counts[1]!;
  });
  new Worker(new URL(import.meta.url), { workerData: { gate, counts } satisfies Shared });
  Atomics.wait(counts, 0, 0);
  process.exit();
} else {
  const { gate, counts } = workerData as Shared;
  for (;;) {
    await inside(gate, async () => {
      Atomics.add(counts, 0, 1);
      Atomics.notify(counts, 0);
      await sleep(200);
      Atomics.add(counts, 1, 1);
    });
  }
}

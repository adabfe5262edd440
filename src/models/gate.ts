/**
 * A gate that a thread passes on its way into native code, and that the process shuts when it exits. A thread that is ended
 * in there ends the process with it, by an abort.
 */
export type Gate = Int32Array;

const SHUT = 0;
const INSIDE = 1;
/** Longest wait for a thread to come out. Milliseconds */
const PATIENCE = 10_000;

/** Gates of threads that run. */
const gates = new Set<Gate>();

/** Watches over a new thread's gate until `done` is called. */
export function openGate(): { readonly gate: Gate; done(): void } {
  const gate = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  if (gates.size === 0) process.on("exit", shutAll);
  gates.add(gate);
  return {
    gate,
    done() {
      gates.delete(gate);
      if (gates.size === 0) process.off("exit", shutAll);
    },
  };
}

function shutAll(): void {
  for (const gate of gates) Atomics.store(gate, SHUT, 1);
  for (const gate of gates) Atomics.wait(gate, INSIDE, 1, PATIENCE);
}

/** In the thread: does `work` inside the gate. Where that is shut it stops the thread, for good. */
export async function inside<T>(gate: Gate, work: () => Promise<T>): Promise<T> {
  const leave = (): void => {
    Atomics.store(gate, INSIDE, 0);
    Atomics.notify(gate, INSIDE);
  };
  Atomics.store(gate, INSIDE, 1);
  if (Atomics.load(gate, SHUT) === 1) {
    leave();
    Atomics.wait(gate, SHUT, 1);
  }
  try {
    return await work();
  } finally {
    leave();
  }
}

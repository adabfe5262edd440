import assert from "node:assert/strict";
import type { Product } from "./product.ts";

/** For `startProduct`: lets the inspector take any port that is free. */
export const inspectable = { NODE_OPTIONS: "--inspect-port=0" };

/** Bytes that the main thread of a process holds after everything that can go has gone. */
export async function retainedBytes(product: Product): Promise<() => Promise<number>> {
  process.kill(product.pid, "SIGUSR1");
  const line = await product.logs("Debugger listening on");
  const socket = new WebSocket(/ws:\S+/.exec(line)![0]);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", reject, { once: true });
  });
  let lastId = 0;
  const ask = (method: string) =>
    new Promise<{ usedSize?: number }>((resolve, reject) => {
      lastId += 1;
      const id = lastId;
      const heard = ({ data }: MessageEvent) => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: object; error?: object };
        if (answer.id !== id) return;
        socket.removeEventListener("message", heard);
        if (answer.result) resolve(answer.result);
        else reject(new Error(`${method}: ${JSON.stringify(answer.error)}`));
      };
      socket.addEventListener("message", heard);
      socket.send(JSON.stringify({ id, method }));
    });
  return async () => {
    await ask("HeapProfiler.collectGarbage");
    const { usedSize } = await ask("Runtime.getHeapUsage");
    assert.ok(usedSize !== undefined);
    return usedSize;
  };
}

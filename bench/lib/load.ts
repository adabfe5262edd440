import type { ExtProcClient, Script } from "./ext-proc-client.ts";
import { grpcMessage } from "./h2-frames.ts";

export interface Load {
  readonly streams: number;
  readonly failures: number;
  readonly seconds: number;
  /** Of each stream, from its opening to its end. */
  readonly ms: readonly number[];
}

/** Keeps `concurrency` streams going for a time, or until `most` have been played. */
export async function keepGoing(
  client: ExtProcClient,
  messages: readonly Uint8Array[],
  {
    concurrency,
    forMs,
    most = Number.POSITIVE_INFINITY,
  }: { concurrency: number; forMs: number; most?: number },
): Promise<Load> {
  const framed = messages.map(grpcMessage);
  const ms: number[] = [];
  let [opened, ended, failures] = [0, 0, 0];
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    const stuck = () => reject(new Error(`${opened - ended} of ${opened} streams were never answered`));
    const watchdog = setTimeout(stuck, forMs + 5000);
    const script: Script = {
      messages: framed,
      done({ startedMs }, ok) {
        const now = performance.now();
        ended += 1;
        if (ok) ms.push(now - startedMs);
        else failures += 1;
        if (now - start < forMs && opened < most && failures < 100) begin();
        else if (ended === opened) {
          clearTimeout(watchdog);
          resolve();
        }
      },
    };
    const begin = () => {
      opened += 1;
      void client.open(script);
    };
    for (let i = 0; i < concurrency; i += 1) begin();
    client.flush();
  });
  return { streams: ended - failures, failures, seconds: (performance.now() - start) / 1000, ms };
}

/** Plays one exchange and gives what was answered. */
export function playOnce(client: ExtProcClient, messages: readonly Uint8Array[]): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const answers: Buffer[] = [];
    void client.open({
      messages: messages.map(grpcMessage),
      answered: (bytes) => answers.push(bytes),
      done: (_, ok) =>
        ok ? resolve(answers) : reject(new Error("the processor did not answer every message")),
    });
    client.flush();
  });
}

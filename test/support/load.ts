import { Agent, request } from "node:http";

export interface LoadResult {
  readonly done: number;
  /** Exchanges without the expected status, by what they got instead. */
  readonly failures: ReadonlyMap<string, number>;
}

/**
 * `total` equal POSTs by `clients` clients at once, each with a connection of its own.
 * @param onProgress called about a hundred times, with the number done.
 */
export async function load(
  port: number,
  body: (n: number) => string,
  { total, clients, onProgress }: { total: number; clients: number; onProgress?: (done: number) => void },
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failures = new Map<string, number>();
  const every = Math.max(1, Math.floor(total / 100));
  let started = 0;
  let done = 0;
  const client = async (): Promise<void> => {
    while (started < total) {
      const got = await post(agent, port, body(started++));
      if (got !== "200") failures.set(got, (failures.get(got) ?? 0) + 1);
      done += 1;
      if (done % every === 0) onProgress?.(done);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return { done, failures };
}

function post(agent: Agent, port: number, body: string): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(
      {
        agent,
        port,
        host: "127.0.0.1",
        method: "POST",
        path: "/v1/chat/completions",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        response.resume();
        response.on("end", () => resolve(String(response.statusCode)));
        response.on("error", (error) => resolve(error.message));
      },
    );
    outgoing.on("error", (error) => resolve(error.message));
    outgoing.end(body);
  });
}

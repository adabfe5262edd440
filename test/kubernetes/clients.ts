import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export const chat = (text: string, more: object = {}): string =>
  JSON.stringify({ model: "auto", messages: [{ role: "user", content: text }], ...more });

/** One POST to `/v1/chat/completions`; rejects where the connection breaks, in the middle of the answer too. */
export function post(
  port: number,
  body: string,
  headers: Record<string, string> = {},
  agent?: Agent,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        method: "POST",
        path: "/v1/chat/completions",
        agent: agent ?? false,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...headers,
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("error", reject).on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    outgoing.on("error", reject).end(body);
  });
}

/** Clients that ask one question after another until they are stopped. */
export function keepAsking(port: number, question: (n: number) => string, clients = 4) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failures = new Map<string, number>();
  let asked = 0;
  let on = true;
  const client = async (): Promise<void> => {
    while (on) {
      try {
        const answer = await post(port, question(asked++), {}, agent);
        if (answer.status !== 200) count(`${answer.status} ${answer.body.slice(0, 200)}`);
      } catch (error) {
        count(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const count = (what: string) => void failures.set(what, (failures.get(what) ?? 0) + 1);
  const all = Promise.all(Array.from({ length: clients }, client));
  const stop = async (): Promise<void> => {
    on = false;
    await all;
    agent.destroy();
  };
  return {
    get asked() {
      return asked;
    },
    failures,
    /** Resolves when all that were asked have been answered. */
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { createInterface } from "node:readline";

/** The API server, as far as `kubectl` is too slow or too much for it. */
export interface Api {
  /** The text of the answer; throws where its status is none of success. */
  call(method: string, path: string, body?: object): Promise<string>;
  /** Every event of a watch, until the returned function is called or the server ends it. */
  watch<T>(path: string, event: (object: T) => void): () => void;
}

export function apiOf(port: number, token: string): Api {
  const open = (method: string, path: string, body?: object): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
      const headers = { authorization: `Bearer ${token}`, "content-type": type };
      // It makes its own certificate, on loopback, for the time of the tests.
      const where = { host: "127.0.0.1", port, method, path, headers, rejectUnauthorized: false };
      request(where, resolve)
        .on("error", reject)
        .end(body && JSON.stringify(body));
    });
  return {
    async call(method, path, body) {
      const answer = await open(method, path, body);
      let text = "";
      for await (const part of answer.setEncoding("utf8")) text += part;
      const status = answer.statusCode ?? 0;
      if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text}`);
      return text;
    },
    watch(path, event) {
      let answer: IncomingMessage | undefined;
      let over = false;
      void open("GET", path).then(
        (opened) => {
          answer = opened.on("error", () => {});
          if (over) answer.destroy();
          const lines = createInterface({ input: answer }).on("error", () => {});
          lines.on("line", (line) => event((JSON.parse(line) as { object: never }).object));
        },
        () => {},
      );
      return () => {
        over = true;
        answer?.destroy();
      };
    },
  };
}

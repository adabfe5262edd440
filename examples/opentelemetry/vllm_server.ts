import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import type { Body } from "./lib/answers.ts";
import type { Pace } from "./lib/engine.ts";
import { firstLine } from "./lib/llm-request.ts";
import { type Env, startProvider } from "./lib/otlp.ts";
import { sendJson, serve, type Tracing } from "./lib/serve.ts";

// A server that has no model and is, in what it traces, like vLLM: switches, headers, ids, and the span `llm_request`.

export type VllmSettings = Pace & {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly models: readonly string[];
  /** Switches tracing on, even when it is empty. */
  readonly endpoint: string | undefined;
  readonly env: Env;
  readonly warn: (line: string) => void;
};

/** A request as it came in. */
export type Seen = {
  readonly path: string;
  /** Names and values one after the other, every line by itself. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** `aborted`: the client left before the answer was complete. */
  readonly state: "running" | "answered" | "aborted";
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type VllmServer = AsyncDisposable & {
  readonly port: number;
  /** What came in, oldest first. */
  readonly requests: readonly Seen[];
  /** Sends the spans that wait, then ends. */
  stop(): Promise<void>;
};

/** Reads the command line and the variables as `vllm serve` does. Throws on what it does not know. */
export function readSettings(args: readonly string[], env: Env): VllmSettings {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8000" },
      "served-model-name": { type: "string", multiple: true },
      "otlp-traces-endpoint": { type: "string" },
      "queue-ms": { type: "string", default: "2" },
      "prefill-ms": { type: "string", default: "10" },
      "token-ms": { type: "string", default: "5" },
    },
  });
  const number = (name: "port" | "queue-ms" | "prefill-ms" | "token-ms"): number => {
    const value = Number(values[name]);
    if (!/^\d+(\.\d+)?$/.test(values[name])) throw new Error(`--${name} ${values[name]} is not a number`);
    return value;
  };
  return {
    host: values.host,
    port: number("port"),
    models: values["served-model-name"] ?? [positionals[0] ?? "facebook/opt-125m"],
    endpoint: values["otlp-traces-endpoint"],
    env,
    queueMs: number("queue-ms"),
    prefillMs: number("prefill-ms"),
    tokenMs: number("token-ms"),
    warn: (line) => console.error(`WARNING ${line}`),
  };
}

export async function startVllmServer(settings: VllmSettings): Promise<VllmServer> {
  const requests: Mutable<Seen>[] = [];
  const provider =
    settings.endpoint === undefined ? undefined : startProvider(settings.endpoint, settings.env);
  const tracing: Tracing = provider && { tracer: provider.getTracer("vllm.llm_engine") };
  let warned = false;

  const server = createServer((request, response) => {
    const untraced = ["traceparent", "tracestate"].some((name) => firstLine(request.rawHeaders, name));
    if (!tracing && untraced && !warned) {
      settings.warn("a request carries a trace context, but tracing is off: see --otlp-traces-endpoint");
      warned = true;
    }
    answer(settings, tracing, requests, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 500, String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(settings.port, settings.host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    // A collector that is away must not keep the server from ending.
    await provider?.shutdown().catch((error: unknown) => settings.warn(`spans were lost: ${error}`));
  };
  return { port: address.port, requests, stop, [Symbol.asyncDispose]: stop };
}

async function answer(
  settings: VllmSettings,
  tracing: Tracing,
  requests: Mutable<Seen>[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString("utf8");
  const seen: Mutable<Seen> = { path, rawHeaders: request.rawHeaders, body: text, state: "running" };
  requests.push(seen);
  response.once("finish", () => {
    seen.state = "answered";
  });

  const route = `${request.method} ${path}`;
  if (route === "GET /health") return void response.writeHead(200).end();
  if (route === "GET /v1/models") {
    const data = settings.models.map((id) => ({ id, object: "model", created: 0, owned_by: "vllm" }));
    return sendJson(response, 200, { object: "list", data });
  }
  const chat = route === "POST /v1/chat/completions";
  if (!chat && route !== "POST /v1/completions") return refuse(response, 404, `${route} is not served here`);

  let body: Body;
  try {
    body = JSON.parse(text) as Body;
  } catch {
    return refuse(response, 400, "the body is not JSON");
  }
  if (!settings.models.includes(body.model ?? "")) {
    return refuse(response, 404, `the model ${body.model} is not served here`);
  }
  const finished = await serve(chat, body, request, response, settings, tracing);
  if (!finished) seen.state = "aborted";
}

function refuse(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, {
    error: { message, type: "invalid_request_error", param: null, code: status },
  });
}

if (import.meta.main) {
  try {
    const settings = readSettings(process.argv.slice(2), process.env);
    const server = await startVllmServer(settings);
    console.log(`serving ${settings.models.join(", ")} at http://${settings.host}:${server.port}`);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => void server.stop().then(() => process.exit(0)));
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

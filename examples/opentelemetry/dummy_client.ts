import { parseArgs } from "node:util";
import { context, defaultTextMapSetter, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { type Env, startProvider } from "./lib/otlp.ts";

// A traced client: one span around one call, its context in the headers. dummy_client.py is the same in Python.

export type Mode = "completions" | "chat" | "stream";

export type Question = {
  /** Address of Envoy, or of the model server itself. */
  readonly url: string;
  readonly mode: Mode;
  readonly model: string;
  readonly prompt: string;
  readonly maxTokens?: number;
  /** Further fields of the body. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Reply = {
  readonly status: number;
  /** `id` of the answer; empty where it has none. */
  readonly id: string;
  readonly text: string;
  readonly headers: Headers;
  readonly traceId: string;
  /** Of `client-span`. */
  readonly spanId: string;
};

export type Client = AsyncDisposable & {
  ask(question: Question): Promise<Reply>;
  /** Sends the spans that wait. */
  stop(): Promise<void>;
};

/** A client whose spans go where the `OTEL_*` variables say; `OTEL_SERVICE_NAME` is `client-service` unless they say so. */
export function startClient(env: Env): Client {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? "";
  const provider = startProvider(endpoint, { OTEL_SERVICE_NAME: "client-service", ...env });
  const tracer = provider.getTracer("dummy-client");
  const propagator = new W3CTraceContextPropagator();
  const stop = (): Promise<void> => provider.shutdown();

  const ask = async (question: Question): Promise<Reply> => {
    const span = tracer.startSpan("client-span", { kind: SpanKind.CLIENT });
    const { traceId, spanId } = span.spanContext();
    // What one asked is this client's own to tell; the router and vLLM record no content.
    span.setAttribute("prompt", question.prompt);
    const headers: Record<string, string> = { "content-type": "application/json", ...question.headers };
    propagator.inject(trace.setSpan(context.active(), span), headers, defaultTextMapSetter);
    try {
      const path = question.mode === "completions" ? "/v1/completions" : "/v1/chat/completions";
      const answer = await fetch(new URL(path, question.url), {
        method: "POST",
        headers,
        body: JSON.stringify(bodyOf(question)),
      });
      const text = await answer.text();
      const id = /"id": ?"([^"]*)"/.exec(text)?.[1] ?? "";
      return { status: answer.status, id, text, headers: answer.headers, traceId, spanId };
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  };
  return { ask, stop, [Symbol.asyncDispose]: stop };
}

function bodyOf({ mode, model, prompt, maxTokens = 10, body }: Question): object {
  const asked = mode === "completions" ? { prompt } : { messages: [{ role: "user", content: prompt }] };
  const streamed = mode === "stream" && { stream: true, stream_options: { include_usage: true } };
  return { model, ...asked, max_tokens: maxTokens, temperature: 0, ...streamed, ...body };
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: "string", default: "http://127.0.0.1:8801" },
        mode: { type: "string", default: "chat" },
        model: { type: "string", default: "auto" },
        prompt: { type: "string", default: "Once upon a time" },
      },
    });
    if (!["completions", "chat", "stream"].includes(values.mode)) {
      throw new Error(`--mode ${values.mode} is not known: completions, chat or stream`);
    }
    await using client = startClient(process.env);
    const reply = await client.ask({ ...values, mode: values.mode as Mode });
    console.log(`${reply.status} ${reply.text.trim()}\ntrace ${reply.traceId}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

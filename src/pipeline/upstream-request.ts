import { type CompletionReader, readCompletion } from "../chat/completion.ts";
import type { Backend, Upstream, UpstreamResponse } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";

export interface UpstreamRequest {
  /** OpenTelemetry's `gen_ai.operation.name`; none for what is not an LLM call. */
  readonly operation?: "chat" | "text_completion" | "embeddings";
  /** Name of the model as it is sent upstream. */
  readonly model?: string;
  readonly backend: Backend | undefined;
  readonly store?: ((completion: Uint8Array) => void) | undefined;
}

/** Statuses with which a server, or Envoy in its place, says that it is not in service. */
const outOfService = new Set([502, 503, 504]);

/**
 * Opens the span that lasts from the forward verdict to the true end of the response. The conversation ends it; it is
 * the only span that outlives its stage.
 */
export function upstreamRequest(at: Trace, { operation, model, backend, store }: UpstreamRequest): Upstream {
  const span = at.open("semantic_router.upstream.request", "client");
  span
    .set("model.name", model)
    .set("gen_ai.operation.name", operation)
    .set("gen_ai.provider.name", operation && "vllm")
    .set("gen_ai.request.model", operation && model)
    .set("endpoint.name", backend?.name)
    .set("server.address", backend?.address)
    .set("server.port", backend?.port);
  let response: UpstreamResponse | undefined;
  let reader: CompletionReader | undefined;
  let ended = false;

  return {
    get spanId() {
      return span.spanId;
    },
    responseHeaders(headers) {
      response = headers;
      // An answer that nobody traces or keeps is not read.
      if (operation && (at.recording || store))
        reader = readCompletion({ ...headers, keep: store !== undefined && headers.status === 200 });
      span.set("http.response.status_code", headers.status).set("response.code_details", headers.codeDetails);
      if (headers.status >= 400)
        span.set("error.type", String(headers.status)).fail(`HTTP ${headers.status}`);
      if (headers.status < 400) backend?.report(true);
      else if (outOfService.has(headers.status)) backend?.report(false);
    },
    chunk(bytes, atMs) {
      reader?.chunk(bytes, atMs);
    },
    end(complete, reason = "aborted") {
      if (ended) return;
      ended = true;
      const completion = reader?.end(complete);
      if (!complete) span.set("error.type", reason).fail(reason);
      if (completion) {
        const { firstChunkAtMs: first, usage, finishReasons } = completion;
        span
          .set("gen_ai.response.id", completion.id)
          .set("gen_ai.response.model", completion.model)
          .set("gen_ai.response.finish_reasons", finishReasons.length > 0 ? finishReasons : undefined)
          .set("gen_ai.usage.input_tokens", usage?.inputTokens)
          .set("gen_ai.usage.output_tokens", usage?.outputTokens)
          .set("gen_ai.usage.estimated", usage?.estimated ? true : undefined)
          // Seconds, as OpenTelemetry's conventions have it.
          .set(
            "gen_ai.response.time_to_first_chunk",
            first === undefined || (response?.status ?? 0) >= 400 ? undefined : (first - span.startMs) / 1000,
          );
        if (completion.storable && response?.status === 200) store?.(completion.storable);
      }
      span.end();
    },
  };
}

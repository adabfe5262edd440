import type { SpokenChoice } from "../chat/answer-text.ts";
import { type CompletionReader, readCompletion } from "../chat/completion.ts";
import { member } from "../chat/json.ts";
import type { Chat } from "../chat/request.ts";
import { parametersOf } from "../chat/request-parameters.ts";
import type { Backend, Upstream, UpstreamResponse } from "../outcome.ts";
import type { Span, Trace } from "../telemetry/trace.ts";
import type { Content, Recorded } from "./content-capture.ts";

export interface UpstreamRequest {
  /** OpenTelemetry's `gen_ai.operation.name`; none for what is not an LLM call. */
  readonly operation?: "chat" | "text_completion" | "embeddings";
  /** Name of the model as it is sent upstream. */
  readonly model?: string;
  /** For the parameters that the trace tells. */
  readonly chat?: Chat;
  readonly backend: Backend | undefined;
  readonly store?: ((completion: Uint8Array) => void) | undefined;
  /** Where traces hold content. */
  readonly content?: Content | undefined;
}

/** Statuses with which a server, or Envoy in its place, says that it is not in service. */
const outOfService = new Set([502, 503, 504]);

/**
 * Opens the span that lasts from the forward verdict to the true end of the response. The conversation ends it; it is
 * the only span that outlives its stage.
 */
export function upstreamRequest(
  at: Trace,
  { operation, model, chat, backend, store, content }: UpstreamRequest,
): Upstream {
  const span = at.open("semantic_router.upstream.request", "client");
  span
    .set("model.name", model)
    .set("gen_ai.operation.name", operation)
    .set("gen_ai.provider.name", operation && "vllm")
    .set("gen_ai.request.model", operation && model)
    .set("endpoint.name", backend?.name)
    .set("server.address", backend?.address)
    .set("server.port", backend?.port);
  // Of the request only this is kept until the answer comes.
  const choices = chat && at.recording ? describeParameters(span, chat) : undefined;
  let response: UpstreamResponse | undefined;
  let reader: CompletionReader | undefined;
  let spoken: readonly SpokenChoice[] | undefined;
  let ended = false;
  let closed = false;
  let answered = false;

  return {
    get spanId() {
      return span.spanId;
    },
    responseHeaders(headers) {
      response = headers;
      // An answer that nobody traces or keeps is not read.
      if (operation && (at.recording || store))
        reader = readCompletion({
          ...headers,
          keep: store !== undefined && headers.status === 200,
          saidChars: headers.status < 400 ? content?.gatherChars : undefined,
          choices,
        });
      // What Envoy answers in upstream's place is no status of upstream's; the reason says what happened.
      if (!headers.fromEnvoy) span.set("http.response.status_code", headers.status);
      span.set("response.code_details", headers.codeDetails);
      if (headers.status >= 400)
        span.set("error.type", String(headers.status)).fail(`HTTP ${headers.status}`);
      if (headers.status < 400) backend?.report(true);
      else if (outOfService.has(headers.status)) backend?.report(false);
    },
    chunk(bytes, atMs) {
      reader?.chunk(bytes, atMs);
    },
    get answered() {
      return answered;
    },
    end(complete) {
      if (ended) return;
      ended = true;
      const completion = reader?.end(complete);
      answered = complete || completion?.done === true;
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
        spoken = completion.choices;
        if (completion.storable && response?.status === 200) store?.(completion.storable);
      }
      span.end();
    },
    close({ reason, atMs, peer, attempts }) {
      if (closed) return;
      closed = true;
      this.end(false);
      span
        .set("network.peer.address", peer?.address)
        .set("network.peer.port", peer?.port)
        // Envoy's retries, as OpenTelemetry counts them.
        .set("http.request.resend_count", attempts !== undefined && attempts > 1 ? attempts - 1 : undefined);
      if (reason !== undefined) span.set("error.type", reason).fail(reason);
      if (atMs !== undefined) span.endedAt(atMs);
      recordContent(span, content, spoken);
    },
  };
}

/**
 * Numbers only, and what is no number in its place is nobody's parameter.
 * @returns how many choices the answer will have: `n` for each prompt.
 */
function describeParameters(span: Span, chat: Chat): number {
  const { choices, ...sampling } = parametersOf(chat);
  span
    .set("gen_ai.request.stream", chat.stream || undefined)
    .set("gen_ai.request.max_tokens", sampling.maxTokens)
    .set("gen_ai.request.temperature", sampling.temperature)
    .set("gen_ai.request.top_p", sampling.topP)
    .set("gen_ai.request.top_k", sampling.topK)
    .set("gen_ai.request.frequency_penalty", sampling.frequencyPenalty)
    .set("gen_ai.request.presence_penalty", sampling.presencePenalty)
    .set("gen_ai.request.seed", sampling.seed)
    .set("gen_ai.request.choice.count", choices === 1 ? undefined : choices);
  const prompt = chat.endpoint === "chat" ? undefined : member(chat.root, "prompt");
  const prompts = prompt?.kind === "array" ? prompt.items.length : 1;
  return Math.max(choices ?? 1, 1) * prompts;
}

/** After the exchange: what is said is searched for personal data, and neither verdict nor answer waits for that. */
function recordContent(
  span: Span,
  content: Content | undefined,
  spoken: readonly SpokenChoice[] | undefined,
): void {
  if (!content) return;
  const recorded: Recorded = [...(spoken ? content.answer(spoken) : []), ...content.prompt];
  for (const [key, value] of recorded) {
    if (value === true) span.set(key, value);
    else span.setContent(key, value);
  }
}

import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  type Tracer,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { Moments } from "./engine.ts";

/** What one finished engine request tells about itself. */
export type LlmRequest = {
  /** `chatcmpl-…` or `cmpl-…-0`: made from the `X-Request-Id` header. */
  readonly id: string;
  readonly moments: Moments;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number | undefined;
  readonly n: number;
};

const propagator = new W3CTraceContextPropagator();

/** The caller's context; like vLLM's, from the first line of each header only, whatever follows. */
export function parentOf(rawHeaders: readonly string[]): Context {
  const carrier = Object.fromEntries(
    ["traceparent", "tracestate"].flatMap((name) => {
      const value = firstLine(rawHeaders, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
}

/** First value of a header in Node's flat list of names and values. */
export function firstLine(rawHeaders: readonly string[], name: string): string | undefined {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : rawHeaders[at + 1];
}

/** The one span of a request, opened and closed when it is over: names, types and units are those of vLLM's V1 engine. */
export function recordLlmRequest(tracer: Tracer, parent: Context, request: LlmRequest): void {
  const { arrival, scheduled, firstToken, lastToken } = request.moments;
  const { temperature, topP, maxTokens, n } = request;
  const seconds = (from: number, to: number): number => double((to - from) / 1_000);
  const attributes: Attributes = {
    "gen_ai.request.id": request.id,
    ...(temperature !== 0 && { "gen_ai.request.temperature": double(temperature) }),
    ...(topP !== 0 && { "gen_ai.request.top_p": double(topP) }),
    ...(maxTokens !== undefined && { "gen_ai.request.max_tokens": maxTokens }),
    ...(n !== 0 && { "gen_ai.request.n": n }),
    "gen_ai.usage.prompt_tokens": request.promptTokens,
    "gen_ai.usage.completion_tokens": request.completionTokens,
    "gen_ai.latency.time_in_queue": seconds(arrival, scheduled),
    "gen_ai.latency.time_to_first_token": seconds(arrival, firstToken),
    "gen_ai.latency.e2e": seconds(arrival, lastToken),
    "gen_ai.latency.time_in_model_prefill": seconds(scheduled, firstToken),
    "gen_ai.latency.time_in_model_decode": seconds(firstToken, lastToken),
    "gen_ai.latency.time_in_model_inference": seconds(scheduled, lastToken),
  };
  const options = { kind: SpanKind.SERVER, startTime: hrTime(arrival), attributes };
  tracer.startSpan("llm_request", options, parent).end(hrTime(lastToken));
}

/**
 * The same number, or its neighbour where it is whole: OpenTelemetry for JavaScript sends whole numbers as integers, and
 * vLLM sends all of these as doubles.
 */
const double = (value: number): number =>
  Number.isInteger(value) ? (value === 0 ? Number.MIN_VALUE : value * (1 + Number.EPSILON)) : value;

const hrTime = (ms: number): HrTime => {
  const seconds = Math.trunc(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
};

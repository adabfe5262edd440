import { ROOT_CONTEXT } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import type { Config } from "../config/schema.ts";
import type { SpanContext } from "./w3c.ts";

type SamplingPolicy = Config["observability"]["tracing"]["sampling"];

/** Whether a new exchange is recorded. The same trace id gives the same answer on every replica. */
export type Sample = (parent: SpanContext | undefined, traceId: string) => boolean;

/** OpenTelemetry's samplers; parent-based unless the policy says otherwise. */
export function sampler(policy: SamplingPolicy): Sample {
  const root = rootSampler(policy);
  return (parent, traceId) => {
    if (parent && policy.parent_based) return (parent.flags & 1) === 1;
    return (
      root.shouldSample(ROOT_CONTEXT, traceId, "", 0, {}, []).decision === SamplingDecision.RECORD_AND_SAMPLED
    );
  };
}

function rootSampler(policy: SamplingPolicy): Sampler {
  if (policy.type === "always_off") return new AlwaysOffSampler();
  if (policy.type === "probabilistic") return new TraceIdRatioBasedSampler(policy.rate);
  return new AlwaysOnSampler();
}

import type { Tracing } from "../../config/schema.ts";
import type { EffectiveValue, TracingSettings } from "../settings.ts";
import { type Choice, Choices, Fault, shown, type Variables, wholeOf } from "./choices.ts";
import { limits } from "./limits.ts";
import { otlp } from "./otlp.ts";
import { resource } from "./resource.ts";
import { sampling } from "./sampling.ts";
import { heeded, idle } from "./variables.ts";

export interface ResolvedTracing {
  readonly settings: TracingSettings;
  /** What is in force and where it comes from; of tracing that is off, only that it is. */
  readonly effective: readonly EffectiveValue[];
  /** What of the environment is wrong, or has no effect. One line each. */
  readonly warnings: readonly string[];
}

const longest = 256;

/**
 * Puts the file and the `OTEL_*` variables together. The strongest comes first: `OTEL_SDK_DISABLED=true`, the variable
 * of traces, the general variable, the file, the default. No variable switches tracing on, and none can make this fail:
 * what cannot be used is told, and the next source is asked.
 * @param written whether the file gives a key a value, such as `observability.tracing.enabled`.
 */
export function resolveTracing(
  policy: Tracing,
  written: (path: string) => boolean,
  env: Variables,
): ResolvedTracing {
  const sources = new Choices(env, written);
  const set = heeded.filter((name) => sources.text(name) !== undefined);
  const choices = new Choices(policy.enabled && policy.env_override ? env : {}, written);
  const isDisabled = sources.flag(["OTEL_SDK_DISABLED"]);
  const exporter = exporterType(policy, choices);
  const enabled: Choice<boolean> = isDisabled?.value
    ? { value: false, from: isDisabled.from }
    : exporter.value === "none"
      ? { value: false, from: exporter.from }
      : choices.file("enabled", policy.enabled);

  const made = make(policy, enabled, exporter, choices);
  if (enabled.value) {
    if (!policy.env_override && set.length > 0)
      choices.warnings.push(
        `no effect, since observability.tracing.env_override is false: ${set.join(", ")}`,
      );
    const without = idle.filter((name) => sources.text(name) !== undefined);
    if (without.length > 0) choices.warnings.push(`no effect here: ${without.join(", ")}`);
    checkPropagators(sources, choices.warnings);
    return { ...made, warnings: [...sources.warnings, ...choices.warnings] };
  }
  const wantsSpans = env.OTEL_TRACES_EXPORTER?.trim().toLowerCase() !== "none" && !isDisabled?.value;
  const warnings =
    !policy.enabled && policy.env_override && wantsSpans && set.length > 0
      ? [`observability.tracing.enabled is not true, so there are no spans, but set are: ${set.join(", ")}`]
      : [];
  return {
    settings: made.settings,
    effective: [{ key: "enabled", value: "false", from: enabled.from }],
    warnings: [...sources.warnings, ...warnings],
  };
}

/** `{ endpoint: "http://otel:4318/v1/traces (OTEL_EXPORTER_OTLP_ENDPOINT)", sampler: "always_off (file)", ... }` */
export function describeEffective(effective: readonly EffectiveValue[]): Record<string, string> {
  return Object.fromEntries(effective.map(({ key, value, from }) => [key, `${value} (${from})`]));
}

type ExporterType = Tracing["exporter"]["type"] | "none";

function exporterType(policy: Tracing, choices: Choices): Choice<ExporterType> {
  const types: Readonly<Record<string, ExporterType>> = { otlp: "otlp", console: "stdout", none: "none" };
  return choices.pick<ExporterType>(
    ["OTEL_TRACES_EXPORTER"],
    (text, name) => {
      const words = text.toLowerCase().split(/\s*,\s*/);
      const word = words.find((word) => Object.hasOwn(types, word));
      if (word === undefined) return new Fault(`must be otlp, console or none, not ${shown(text)}`);
      if (words.length > 1)
        choices.warnings.push(
          `${name} names several exporters; only the first that is known, ${word}, is used`,
        );
      return types[word]!;
    },
    "exporter.type",
    policy.exporter.type,
  );
}

function make(
  policy: Tracing,
  enabled: Choice<boolean>,
  exporter: Choice<ExporterType>,
  choices: Choices,
): Pick<ResolvedTracing, "settings" | "effective"> {
  const bounds = limits(policy.exporter, choices);
  const sender = exporter.value === "otlp" ? otlp(policy.exporter, bounds, choices) : undefined;
  const sampled = sampling(policy.sampling, choices);
  const attributes = resource(policy.resource, choices);
  const valueLimit = attributeLength(choices);
  const file = (key: keyof Tracing) => ({ key, ...asText(choices.file(key, policy[key])) });
  const inForce = Object.entries(bounds).filter(([key]) => sender || /^(?:queue|batch\.delay)/.test(key));
  return {
    settings: {
      enabled: enabled.value,
      otlp: sender?.settings,
      sampling: sampled.sampling,
      resource: Object.fromEntries([...attributes].map(([name, { value }]) => [name, value])),
      queue: { maxSpans: bounds["queue.max_spans"].value, maxBytes: bounds["queue.max_bytes"].value },
      delayMs: bounds["batch.delay_ms"].value,
      valueLimit: valueLimit.value,
    },
    effective: [
      { key: "enabled", ...asText(enabled) },
      { key: "exporter", ...exporter },
      ...(sender?.effective ?? []),
      ...inForce.map(([key, choice]) => ({ key, ...asText(choice) })),
      { key: "sampler", value: sampled.name, from: sampled.from },
      ...(sampled.sampling.type === "probabilistic"
        ? [{ key: "sampler.rate", value: String(sampled.sampling.rate), from: sampled.rateFrom }]
        : []),
      ...[...attributes].map(([name, choice]) => ({ key: `resource.${name}`, ...choice })),
      { key: "value_limit", ...asText(valueLimit) },
      file("provider"),
      file("capture_content"),
      file("env_override"),
    ],
  };
}

const asText = ({ value, from }: Choice<unknown>) => ({ value: String(value), from });

function attributeLength(choices: Choices): Choice<number> {
  const names = ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"];
  const asked = choices.variable(names, wholeOf(0, Number.MAX_SAFE_INTEGER));
  if (!asked) return { value: longest, from: "default" };
  if (asked.value <= longest) return asked;
  choices.warnings.push(`${asked.from} is more than ${longest}, the most that spans here keep of a text`);
  return { value: longest, from: "default" };
}

function checkPropagators(sources: Choices, warnings: string[]): void {
  const name = "OTEL_PROPAGATORS";
  const asked = sources
    .text(name)
    ?.toLowerCase()
    .split(/\s*,\s*/);
  if (asked?.every((word) => word === "tracecontext" || word === "baggage") && asked.includes("tracecontext"))
    return;
  if (asked)
    warnings.push(`${name} has no effect: W3C Trace Context is always read and written, and nothing else`);
}

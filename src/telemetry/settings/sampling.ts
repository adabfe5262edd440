import type { Tracing } from "../../config/schema.ts";
import type { TracingSettings } from "../settings.ts";
import { type Choices, Fault, shown, wordOf } from "./choices.ts";

type Sampling = TracingSettings["sampling"];

const samplers: Readonly<Record<string, Pick<Sampling, "type" | "parent_based">>> = {
  always_on: { type: "always_on", parent_based: false },
  always_off: { type: "always_off", parent_based: false },
  traceidratio: { type: "probabilistic", parent_based: false },
  parentbased_always_on: { type: "always_on", parent_based: true },
  parentbased_always_off: { type: "always_off", parent_based: true },
  parentbased_traceidratio: { type: "probabilistic", parent_based: true },
};

/** The sampler, and what to tell about it. A rate that is not given is the file's, or 1. */
export function sampling(
  policy: Tracing["sampling"],
  choices: Choices,
): { sampling: Sampling; name: string; from: string; rateFrom: string } {
  const chosen = choices.variable(["OTEL_TRACES_SAMPLER"], wordOf(samplers));
  const { type, parent_based } = chosen?.value ?? policy;
  const isRatio = type === "probabilistic";
  const argument = "OTEL_TRACES_SAMPLER_ARG";
  if (choices.text(argument) !== undefined && !(chosen && isRatio)) {
    const why = "has no effect: only OTEL_TRACES_SAMPLER=traceidratio or parentbased_traceidratio uses it";
    choices.warnings.push(`${argument} ${why}`);
  }
  const rate =
    (chosen && isRatio ? choices.variable([argument], share) : undefined) ??
    choices.file("sampling.rate", policy.rate);
  const base = isRatio ? "traceidratio" : type;
  const file = [
    choices.file("sampling.type", type),
    choices.file("sampling.parent_based", parent_based),
  ].find(({ from }) => from === "file");
  return {
    sampling: { type, rate: rate.value, parent_based },
    name: parent_based ? `parentbased_${base}` : base,
    from: chosen?.from ?? file?.from ?? "default",
    rateFrom: rate.from,
  };
}

function share(text: string): number | Fault {
  const value = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?$/i.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? value : new Fault(`must be a number, 0 to 1, not ${shown(text)}`);
}

import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/schema.ts";
import { bodyChanges } from "./explain/body.ts";
import { decisionOf, endpointOf } from "./explain/decision.ts";
import type { DryRequest, DryRun } from "./explain/dry-run.ts";

/** What is compared, in the order in which it is shown. */
export const aspects = ["refusal", "category", "model", "reasoning", "endpoint", "system_prompt"] as const;
export type Aspect = (typeof aspects)[number];

/**
 * Where a request would go, without what chance decides: of endpoints there are all that it may go to, each with its share
 * and its address, so that neither a draw nor weights that mean the same are a difference.
 */
export interface Route {
  readonly blocked: boolean;
  /** By aspect, what is compared; null for none. */
  readonly is: Readonly<Record<Aspect, unknown>>;
  /** By aspect, in short and in full: the full form is shown where the short forms are alike. */
  readonly shown: Readonly<Record<Aspect, readonly [short: string, full: string]>>;
}

export interface Change {
  readonly old: unknown;
  readonly new: unknown;
  /** Both as text, in a form in which they differ. */
  readonly shown: readonly [old: string, next: string];
}

export type Changes = Readonly<Partial<Record<Aspect, Change>>>;

/** Reads a route from what became of the request. Throws where a model could not answer: then it says nothing. */
export function routeOf(
  { stages, outcome, reason, answer, upstream }: DryRun,
  { body }: DryRequest,
  config: Config,
): Route {
  for (const name of ["classification", "security.pii_detection", "security.jailbreak_detection"]) {
    const failed = stages.get(name)?.error;
    if (failed) throw new Error(`${name} failed: ${failed}`);
  }
  const classified = stages.get("classification");
  const decided = stages.get("routing.decision");
  const selected = stages.get("backend.selection");
  const category = String(classified?.attributes["category.name"] ?? "") || null;
  const decision = decided && upstream ? decisionOf(decided) : undefined;
  const { fields, system_prompt } = bodyChanges(
    body,
    upstream?.body,
    stages.get("system_prompt.injection"),
    config,
  );
  const { model: _model, ...reasoningFields } = fields;
  const enabled = decision?.reasoning?.enabled;
  const reasoning = enabled === undefined ? null : { enabled, fields: reasoningFields };
  const endpoints = selected && upstream ? reachable(endpointOf(selected).candidates, config) : null;
  const refusal = answer ? `${answer.status} ${reason ?? outcome}` : null;
  const same = (text: string | null) => [text ?? "none", text ?? "none"] as const;
  return {
    blocked: outcome === "blocked",
    is: {
      refusal,
      category,
      model: decision?.selected_model ?? null,
      reasoning,
      endpoint: endpoints,
      // Under whichever category: that is an aspect of its own.
      system_prompt: system_prompt && { mode: system_prompt.mode, text: system_prompt.text },
    },
    shown: {
      refusal: same(refusal),
      category: same(category),
      model: same(decision?.selected_model ?? null),
      reasoning: reasoning
        ? [enabled ? "on" : "off", `${enabled ? "on" : "off"} ${written(reasoningFields)}`]
        : same(null),
      endpoint: endpoints?.length
        ? [
            endpoints.map(({ name }) => name).join(", "),
            endpoints.map(({ name, address, share }) => `${name} ${address} ${percent(share)}`).join(", "),
          ]
        : same(null),
      system_prompt: system_prompt
        ? [
            `${system_prompt.category}, ${system_prompt.mode}`,
            `${system_prompt.category}, ${system_prompt.mode}: ${JSON.stringify(system_prompt.text)}`,
          ]
        : same(null),
    },
  };
}

/** What differs. Where one is refused and the other is not, all that follows from that is left out. */
export function changesBetween(old: Route, next: Route): Changes {
  const isRefused = old.is.refusal !== null || next.is.refusal !== null;
  const compared = aspects.filter((one) => !isRefused || one === "refusal" || one === "category");
  return Object.fromEntries(
    compared
      .filter((aspect) => !isDeepStrictEqual(old.is[aspect], next.is[aspect]))
      .map((aspect) => {
        const form = old.shown[aspect][0] === next.shown[aspect][0] ? 1 : 0;
        const shown = [old.shown[aspect][form], next.shown[aspect][form]];
        return [aspect, { old: old.is[aspect], new: next.is[aspect], shown }];
      }),
  );
}

/** What a change is counted as: a refusal by what becomes of the request, anything else by its own name. */
export function kindOf(aspect: Aspect, old: Route, next: Route): string {
  if (aspect !== "refusal") return aspect;
  if (next.is.refusal === null) return "let_through";
  if (next.blocked && !old.blocked) return "blocked";
  // Refused before and after, in another way.
  return old.is.refusal === null ? "refused" : "refusal";
}

const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;

/** By name, so that the order in the file is no difference. */
function reachable(
  candidates: readonly { readonly name: string; readonly share: number }[],
  { vllm_endpoints }: Config,
) {
  const addresses = new Map(vllm_endpoints.map(({ name, address, port }) => [name, `${address}:${port}`]));
  return candidates
    .filter(({ share }) => share > 0)
    .map(({ name, share }) => ({ name, address: addresses.get(name), share }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const written = (fields: Readonly<Record<string, { readonly new: unknown }>>): string =>
  Object.entries(fields)
    .map(([key, { new: value }]) => (value === null ? `without ${key}` : `${key} ${JSON.stringify(value)}`))
    .join(", ") || "no field written";

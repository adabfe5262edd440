import { rounded } from "./numbers.ts";
import type { Stage } from "./whole-trace.ts";

export interface Candidate {
  readonly model: string;
  /** The category's; null for the default model. */
  readonly score: number | null;
  readonly chosen: boolean;
  /** Why it was passed over, although it is not worse. */
  readonly refused: string | null;
}

export interface Decision {
  readonly strategy: string;
  readonly reason: string;
  readonly original_model: string | null;
  /** None: no candidate may answer. */
  readonly selected_model: string | null;
  /** Best first. Empty where the client named the model. */
  readonly candidates: readonly Candidate[];
  /** To the next candidate that may answer. */
  readonly margin: number | null;
  /** None where the client named the model: its own fields stay. */
  readonly reasoning: {
    readonly enabled: boolean;
    readonly effort: string | null;
    readonly family: string | null;
    readonly reason: string;
  } | null;
}

export interface Endpoint {
  /** The one drawn this time; another may be next time. */
  readonly name: string | null;
  readonly address: string | null;
  readonly reason: string;
  /** `share` of the requests, 0..1. */
  readonly candidates: readonly { readonly name: string; readonly weight: number; readonly share: number }[];
}

export function decisionOf({ attributes: a }: Stage): Decision {
  const refused = new Map(
    list(a["routing.refused"]).map((text) => {
      const at = text.lastIndexOf(": ");
      return [text.slice(0, at), text.slice(at + 2)];
    }),
  );
  const all = list(a["routing.candidates"]);
  const chosen = all.findIndex((candidate) => !refused.has(candidate));
  const { "reasoning.reason": why } = a;
  return {
    strategy: String(a["routing.strategy"]),
    reason: String(a["routing.reason"]),
    original_model: text(a["routing.original_model"]),
    selected_model: text(a["routing.selected_model"]),
    candidates: all.map((candidate, i) => {
      const [model, score] = pair(candidate);
      return {
        model,
        score: score === "default" ? null : Number(score),
        chosen: i === chosen,
        refused: refused.get(candidate) ?? null,
      };
    }),
    margin: typeof a["routing.margin"] === "number" ? rounded(a["routing.margin"]) : null,
    reasoning:
      why === undefined
        ? null
        : {
            enabled: a["reasoning.enabled"] === true,
            effort: text(a["reasoning.effort"]),
            family: text(a["reasoning.family"]),
            reason: String(why),
          },
  };
}

export function endpointOf({ attributes: a }: Stage): Endpoint {
  const candidates = list(a["endpoint.candidates"])
    .map(pair)
    .map(([name, weight]) => ({ name, weight: Number(weight) }));
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  return {
    name: text(a["endpoint.name"]),
    address: text(a["endpoint.address"]),
    reason: String(a["endpoint.reason"]),
    candidates: candidates.map((one) => ({
      ...one,
      share: total > 0 ? rounded(one.weight / total) : 0,
    })),
  };
}

type Attribute = Stage["attributes"][string];
const text = (value: Attribute | undefined): string | null => (typeof value === "string" ? value : null);
const list = (value: Attribute | undefined): readonly string[] => (Array.isArray(value) ? value : []);

/** `name=value`; the name may hold the sign as well. */
function pair(text: string): readonly [string, string] {
  const at = text.lastIndexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

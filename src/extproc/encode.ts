import { type Phase, phases } from "./decode.ts";
import { type Chunk, lengthField, numberField } from "./wire.ts";

export interface HeaderMutation {
  readonly set?: readonly (readonly [name: string, value: string])[];
  readonly remove?: readonly string[];
}

/** Carry on, with changes or without. */
export interface Proceed extends HeaderMutation {
  readonly kind: "proceed";
  readonly phase: Phase;
  readonly body?: Uint8Array;
  /** Lets Envoy choose the route anew, after the header changes. */
  readonly clearRouteCache?: boolean;
  /** Headers phases only, and only where Envoy has `allow_mode_override`. */
  readonly bodyModes?: { readonly request: number; readonly response: number };
}

/** Answer the client now; upstream is never called. */
export interface Immediate {
  readonly kind: "immediate";
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  /** Shows in Envoy's %RESPONSE_CODE_DETAILS%. */
  readonly details: string;
}

export type Answer = Proceed | Immediate;

/** ProcessingResponse's oneof numbers. */
const answerField: Record<Phase, number> = {
  requestHeaders: 1,
  responseHeaders: 2,
  requestBody: 3,
  responseBody: 4,
  requestTrailers: 5,
  responseTrailers: 6,
};
/** HeadersResponse and BodyResponse hold a CommonResponse; TrailersResponse does not. */
const wrapsCommonResponse = (phase: Phase) => !phase.endsWith("Trailers");

/** One buffer for each kind of plain "carry on": most answers of an exchange are one of these. */
const plain = Object.fromEntries(
  phases.map((phase) => [
    phase,
    lengthField(answerField[phase], ...(wrapsCommonResponse(phase) ? [lengthField(1)] : [])),
  ]),
) as Record<Phase, Chunk>;

/** Writes a ProcessingResponse. */
export function encode(answer: Answer): Buffer {
  if (answer.kind === "immediate") return encodeImmediate(answer);
  const { phase, set, remove, body, clearRouteCache, bodyModes } = answer;
  const changes = set?.length || remove?.length || body || clearRouteCache || bodyModes;
  if (!changes) return plain[phase];
  const mutation = encodeMutation(set ?? [], remove ?? []);
  if (!wrapsCommonResponse(phase)) return lengthField(answerField[phase], lengthField(1, ...mutation));
  const common: Chunk[] = [];
  // Envoy heeds clear_route_cache only beside a header mutation, which may be empty.
  if (mutation.length > 0 || clearRouteCache) common.push(lengthField(2, ...mutation));
  if (body) common.push(lengthField(3, lengthField(1, body)));
  if (clearRouteCache) common.push(numberField(5, 1));
  const response = lengthField(answerField[phase], lengthField(1, ...common));
  if (!bodyModes) return response;
  return Buffer.concat([
    response,
    lengthField(9, numberField(3, bodyModes.request), numberField(4, bodyModes.response)),
  ]);
}

function encodeImmediate({ status, headers, body, details }: Immediate): Buffer {
  return lengthField(
    7,
    lengthField(1, numberField(1, status)),
    lengthField(2, ...encodeMutation(headers, [])),
    lengthField(3, body),
    lengthField(5, details),
  );
}

/**
 * Values go into raw_value: Envoy sets an empty header otherwise. `append_action` 2 (overwrite or add) says to other
 * data planes what Envoy does anyhow.
 */
function encodeMutation(set: readonly (readonly [string, string])[], remove: readonly string[]): Chunk[] {
  return [
    ...set.map(([name, value]) =>
      lengthField(
        1,
        lengthField(1, lengthField(1, name), lengthField(3, headerSafe(value))),
        numberField(3, 2),
      ),
    ),
    ...remove.map((name) => lengthField(2, name)),
  ];
}

/** One control byte in a header value makes Envoy fail the whole request. */
function headerSafe(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters to keep out
  return value.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, " ");
}

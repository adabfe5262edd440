import { Writer } from "../protobuf/wire.ts";
import { type Phase, phases } from "./decode.ts";

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

/** Not an answer yet: it will take longer than Envoy would wait. */
export interface MoreTime {
  readonly kind: "more time";
  readonly ms: number;
}

export type Answer = Proceed | Immediate | MoreTime;

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
const trailers: ReadonlySet<Phase> = new Set(["requestTrailers", "responseTrailers"]);

const writer = new Writer();

/** One buffer for each kind of plain "carry on": most answers of an exchange are one of these. */
const plain = Object.fromEntries(
  phases.map((phase) => [phase, writeProceed({ kind: "proceed", phase })]),
) as Record<Phase, Buffer>;

/** Writes a ProcessingResponse. */
export function encode(answer: Answer): Buffer {
  if (answer.kind === "immediate") return writeImmediate(answer);
  if (answer.kind === "more time") return writeMoreTime(answer);
  const { phase, set, remove, body, clearRouteCache, bodyModes } = answer;
  const changes = set?.length || remove?.length || body || clearRouteCache || bodyModes;
  return changes ? writeProceed(answer) : plain[phase];
}

function writeProceed({ phase, set, remove, body, clearRouteCache, bodyModes }: Proceed): Buffer {
  writer.begin();
  if (bodyModes) {
    const start = writer.mark;
    writer.number(4, bodyModes.response);
    writer.number(3, bodyModes.request);
    writer.wrap(9, start);
  }
  const start = writer.mark;
  if (trailers.has(phase)) {
    writeMutation(set, remove);
    if (writer.mark > start) writer.wrap(1, start);
  } else {
    if (clearRouteCache) writer.number(5, 1);
    if (body) {
      const bodyStart = writer.mark;
      writer.field(1, body);
      writer.wrap(3, bodyStart);
    }
    const mutationStart = writer.mark;
    writeMutation(set, remove);
    // Envoy heeds clear_route_cache only beside a header mutation, which may be empty.
    if (writer.mark > mutationStart || clearRouteCache) writer.wrap(2, mutationStart);
    writer.wrap(1, start);
  }
  writer.wrap(answerField[phase], start);
  return writer.finish();
}

/** `override_message_timeout`, a Duration. */
function writeMoreTime({ ms }: MoreTime): Buffer {
  writer.begin();
  const start = writer.mark;
  writer.number(2, (ms % 1000) * 1_000_000);
  writer.number(1, Math.floor(ms / 1000));
  writer.wrap(10, start);
  return writer.finish();
}

function writeImmediate({ status, headers, body, details }: Immediate): Buffer {
  writer.begin();
  const start = writer.mark;
  writer.field(5, details);
  writer.field(3, body);
  const headersStart = writer.mark;
  writeMutation(headers, []);
  writer.wrap(2, headersStart);
  const statusStart = writer.mark;
  writer.number(1, status);
  writer.wrap(1, statusStart);
  writer.wrap(7, start);
  return writer.finish();
}

/**
 * Values go into raw_value: Envoy sets an empty header otherwise. `append_action` 2 (overwrite or add) says to other
 * data planes what Envoy does anyhow.
 */
function writeMutation(set: HeaderMutation["set"] = [], remove: HeaderMutation["remove"] = []): void {
  for (let i = remove.length - 1; i >= 0; i -= 1) writer.field(2, remove[i]!);
  for (let i = set.length - 1; i >= 0; i -= 1) {
    const [name, value] = set[i]!;
    const start = writer.mark;
    writer.number(3, 2);
    const headerStart = writer.mark;
    writer.field(3, headerSafe(value));
    writer.field(1, name);
    writer.wrap(1, headerStart);
    writer.wrap(1, start);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters to keep out
const controls = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** One control byte in a header value makes Envoy fail the whole request. */
const headerSafe = (value: string): string => value.replace(controls, " ");

import { decode, type Message } from "../../src/extproc/decode.ts";
import { type Answer, encode } from "../../src/extproc/encode.ts";
import { oracle } from "../../test/support/ext-proc.ts";

/** Three ways to read a ProcessingRequest and write the same four answers. */
export interface Codec {
  decode(bytes: Buffer): unknown;
  answer(message: unknown): unknown;
  encode(answer: unknown): Buffer;
}

/** What a verdict sets on the request, and what the client is told with the response. */
const verdict = [
  ["x-vsr-destination-endpoint", "general-endpoint"],
  ["x-selected-model", "general-model"],
  ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ["content-length", "1142"],
  ["x-request-id", "5d6e2b8c-6a0f-4c43-9d3b-0d3f2f1f7a55"],
] as const;
const told = [
  ["x-vsr-selected-category", "math"],
  ["x-vsr-selected-reasoning", "off"],
  ["x-vsr-selected-model", "general-model"],
  ["x-vsr-injected-system-prompt", "false"],
] as const;

/** The headers that the processor reads on every request. */
const read = [":method", ":path", "x-request-id", "traceparent", "content-length"] as const;
let seen = 0;

const own: Codec = {
  decode: (bytes) => decode(bytes),
  answer(message) {
    const { phase, headers } = message as Message;
    for (const name of read) seen += headers.get(name)?.length ?? 0;
    if (phase === "requestBody") return { kind: "proceed", phase, set: verdict, clearRouteCache: true };
    if (phase === "responseHeaders") return { kind: "proceed", phase, set: told };
    return { kind: "proceed", phase };
  },
  encode: (answer) => encode(answer as Answer),
};

interface Loaded {
  readonly request: string;
  readonly request_headers?: { headers: { headers: { key: string; raw_value: Buffer }[] } };
  readonly response_headers?: Loaded["request_headers"];
}

const generated: Codec = {
  decode: (bytes) => oracle.requestDeserialize(bytes),
  answer(message) {
    const { request, request_headers, response_headers } = message as Loaded;
    const { headers } = (request_headers ?? response_headers)?.headers ?? { headers: [] };
    for (const name of read)
      seen += headers.find(({ key }) => key === name)?.raw_value.toString().length ?? 0;
    if (request === "request_body")
      return { request_body: { response: { header_mutation: mutation(verdict), clear_route_cache: true } } };
    if (request === "response_headers")
      return { response_headers: { response: { header_mutation: mutation(told) } } };
    return { [request]: { response: {} } };
  },
  encode: (answer) => oracle.responseSerialize(answer as object),
};

function mutation(set: readonly (readonly [string, string])[]) {
  return {
    set_headers: set.map(([key, value]) => ({
      header: { key, raw_value: Buffer.from(value) },
      append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
    })),
  };
}

/** Reads nothing but the kind, writes bytes made before: the floor under any codec. */
const fixed = Object.fromEntries(
  (["requestHeaders", "responseHeaders", "requestBody", "responseBody"] as const).map((phase) => [
    phase,
    own.encode(own.answer({ phase, headers: { get: () => undefined } })),
  ]),
);
const kinds = new Map([
  [2, "requestHeaders"],
  [3, "responseHeaders"],
  [4, "requestBody"],
  [5, "responseBody"],
]);
const none: Codec = {
  decode: (bytes) => bytes,
  answer: (message) => fixed[kinds.get((message as Buffer)[0]! >> 3) ?? "requestHeaders"],
  encode: (answer) => answer as Buffer,
};

export const codecs = { own, generated, none } as const;

/** Keeps the reading above from being optimised away. */
export const headersSeen = (): number => seen;

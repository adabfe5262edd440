import type { Message } from "../../extproc/decode.ts";
import { Dialogue } from "../../extproc/dialogue.ts";
import type { Answer, Immediate } from "../../extproc/encode.ts";
import { Headers, names, noHeaders } from "../../extproc/headers.ts";
import { requestPhase } from "../../extproc/request-phase.ts";
import type { Service } from "../../extproc/service.ts";
import type { Story } from "../../extproc/story.ts";
import { StageFault } from "../../outcome.ts";
import { type Stage, stagesOf, WholeTrace } from "./whole-trace.ts";

type HeaderPair = readonly [name: string, value: string];

/** A request as a client would send it. */
export interface DryRequest {
  /** Names in lower case. */
  readonly headers: readonly HeaderPair[];
  readonly body: Uint8Array;
}

/** What became of a request that went nowhere. */
export interface DryRun {
  readonly outcome: Story["ending"];
  /** In a word, where there is more to say. */
  readonly reason: string | undefined;
  readonly stages: ReadonlyMap<string, Stage>;
  /** Names of headers that are taken from the request; of those that the client sent, and in its spelling. */
  readonly removed: readonly string[];
  /** What of the request is changed where it goes on; a body only where that changes. */
  readonly upstream:
    | { readonly set: readonly HeaderPair[]; readonly body: Uint8Array | undefined }
    | undefined;
  /** The router's own headers on the model's answer, where that has status 200. */
  readonly added: readonly HeaderPair[];
  /** The answer that the client gets instead of a model's. */
  readonly answer: Immediate | undefined;
}

const path = "/v1/chat/completions";

/**
 * Plays one exchange with the router, as Envoy would: headers, body, and an answer with status 200. Nothing is sent to
 * anybody. Rejects with the error where the router itself failed.
 */
export async function dryRun(service: Service, { headers, body }: DryRequest): Promise<DryRun> {
  const removed: string[] = [];
  const set: HeaderPair[] = [];
  let changed: Uint8Array | undefined;
  let added: DryRun["added"] = [];
  let answer: Immediate | undefined;
  const messages = [message("requestBody", body), message("responseHeaders", new Uint8Array(), statusOk)];
  const heard = (said: Answer): void => {
    if (said.kind === "more time") return;
    if (said.kind === "immediate") answer = said;
    else if (said.phase === "responseHeaders") added = said.set ?? [];
    else {
      removed.push(...(said.remove ?? []));
      set.push(...(said.set ?? []));
      changed ??= said.body;
    }
    const next = answer ? undefined : messages.shift();
    if (next) envoy.heard(next);
    else envoy.end();
  };
  const envoy = new Dialogue(heard);

  const opening = message("requestHeaders", new Uint8Array(), headersOf(opened(headers, body.length)));
  const at = new WholeTrace();
  const story: Story = { ending: "aborted" };
  let failure: unknown;
  const serving = {
    fault(error: unknown) {
      // That a guard could not work is an outcome as others are.
      if (!(error instanceof StageFault)) failure = error;
    },
  };
  await requestPhase({ envoy, opening, requestId: "explained", service, at, story }, serving);
  if (failure) throw failure;
  return {
    outcome: story.ending,
    reason: story.reason,
    stages: stagesOf(at),
    removed: [...new Set(removed)],
    upstream: answer ? undefined : { set, body: changed },
    added,
    answer,
  };
}

/** As Envoy sends them: its own first, `x-request-id` made where the client sent none. */
const opened = (headers: readonly HeaderPair[], length: number): HeaderPair[] => [
  [names.method, "POST"],
  [names.path, path],
  [names.requestId, "explained"],
  [names.contentType, "application/json"],
  [names.contentLength, String(length)],
  ...headers,
];

function headersOf(pairs: readonly HeaderPair[]): Headers {
  const places: number[] = [];
  const parts = pairs.flat().map((text) => Buffer.from(text));
  let at = 0;
  for (const { length } of parts) {
    places.push(at, at + length);
    at += length;
  }
  return new Headers(Buffer.concat(parts), places);
}

const statusOk = headersOf([[names.status, "200"]]);

const message = (phase: Message["phase"], body: Uint8Array, headers = noHeaders): Message => ({
  phase,
  headers,
  body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
  endOfStream: phase !== "requestHeaders",
  attributes: new Map(),
  requestBodyMode: undefined,
  responseBodyMode: undefined,
  observeOnly: false,
  atMs: performance.now(),
});

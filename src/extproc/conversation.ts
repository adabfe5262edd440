import { randomUUID } from "node:crypto";
import { type Chat, readChat } from "../chat/request.ts";
import { type Outcome, type Refusal, refusals, StageFault } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { readTraceContext, type SpanContext } from "../telemetry/w3c.ts";
import { cacheHitAnswer, modelsAnswer, refusalAnswer } from "./answers.ts";
import { bodyMode, type Message } from "./decode.ts";
import { embeddingModel } from "./embeddings.ts";
import type { Answer } from "./encode.ts";
import { forwardMutation, proceedPlain, stripReserved } from "./forwarding.ts";
import { Headers, names } from "./headers.ts";
import type { Inbox } from "./inbox.ts";
import { overhear } from "./response-phase.ts";
import { describeChat, describeOutcome, describeRequest, reasonOf, type Story } from "./root-span.ts";
import type { Service, Serving } from "./service.ts";
import { type Target, targetOf } from "./target.ts";

const noHeaders = new Headers([]);

/**
 * One ext_proc stream, as a script: each message Envoy sends gets exactly one answer, in order. The root span lasts
 * until Envoy has ended the stream. Nothing is answered once it has.
 */
export async function* converse(
  envoy: Inbox,
  serving: Serving,
  tracing: Tracing,
  fromMetadata: SpanContext | undefined,
): AsyncGenerator<Answer, void, undefined> {
  const first = await envoy.next();
  if (!first) return;
  const service = serving.current();
  const headers = first.phase === "requestHeaders" ? first.headers : noHeaders;
  const at = tracing.begin(
    "semantic_router.request.received",
    fromMetadata,
    readTraceContext(headers.all(names.traceparent), headers.all(names.tracestate)),
  );
  const story: Story = { ending: "aborted", reason: "ended_before_verdict" };
  const requestId = headers.get(names.requestId) ?? randomUUID();
  describeRequest(at, headers, requestId);
  try {
    if (first.phase !== "requestHeaders") {
      // An operator may skip request headers; without them there is nothing to decide on.
      story.ending = "passthrough";
      yield* proceedPlain(first);
      yield* overhear(envoy, first, undefined, undefined, story);
    } else yield* requestPhase(envoy, first, service, serving, at, requestId, story);
  } finally {
    at.root
      .set("http.response.status_code", story.status)
      .set("outcome", story.ending)
      .set("outcome.reason", story.reason)
      .set("config.generation", service.generation)
      .set("processing.time_ms", envoy.busyMs)
      .end();
    tracing.finish(at);
  }
}

async function* requestPhase(
  envoy: Inbox,
  opening: Message,
  service: Service,
  serving: Serving,
  at: Trace,
  requestId: string,
  story: Story,
): AsyncGenerator<Answer, void, undefined> {
  const target = targetOf(opening.headers);
  const refusal = refusedByHeaders(target, opening, service);
  if (refusal) return yield* refuse(refusal, undefined);
  if (target.kind === "models") {
    story.ending = "passthrough";
    return yield* replyNow(modelsAnswer(service.modelList()));
  }

  let verdictOn = opening;
  if (waitsForBody(target, opening, service)) {
    yield stripReserved(opening);
    const next = await envoy.next();
    if (!next) return;
    if (next.phase === "responseHeaders") return yield* answeredWithoutUs(next);
    verdictOn = next;
  }

  const { outcome, chat } = await verdict(target, verdictOn);
  if (!envoy.ended) describeOutcome(at, outcome);
  if (outcome.kind === "refuse") return yield* refuse(outcome.refusal, chat);
  if (outcome.kind === "reply") {
    story.ending = "cache_hit";
    return yield* replyNow(cacheHitAnswer(outcome.contentType, outcome.body));
  }
  try {
    if (envoy.ended) return;
    story.ending = target.kind === "llm" && service.pipeline ? "forwarded" : "passthrough";
    yield forwardMutation({
      outcome,
      at,
      opening,
      verdictOn,
      requestId,
      service,
      upgrade: target.kind === "upgrade",
    });
    yield* overhear(envoy, opening, outcome, at, story);
  } finally {
    outcome.upstream.end(false, story.reason);
  }

  async function verdict(target: Target, message: Message): Promise<{ outcome: Outcome; chat?: Chat }> {
    const body = message.body;
    if (body.length > service.maxBodyBytes) {
      return { outcome: refused({ kind: "too_large", limitBytes: service.maxBodyBytes }) };
    }
    if (target.kind === "embeddings") {
      return {
        outcome: await service.passThrough("embeddings", embeddingModel(body, service.maxJsonDepth), at),
      };
    }
    if (target.kind !== "llm" || !service.pipeline)
      return { outcome: await service.passThrough("other", undefined, at) };
    const read = readChat(body, target.endpoint, { maxDepth: service.maxJsonDepth });
    if (read.kind === "malformed") return { outcome: refused(read) };
    const { chat } = read;
    describeChat(at, chat);
    const tenant = opening.headers.get(service.tenantHeader);
    const path = target.endpoint;
    try {
      return { outcome: await service.pipeline(chat, { path, tenant }, at, envoy.signal), chat };
    } catch (error) {
      if (!envoy.ended) serving.fault(error, chat);
      return { outcome: refused(translate(error)), chat };
    }
  }

  /** Envoy answered in our place (413, 408), or sent on a request whose body never came. */
  async function* answeredWithoutUs(response: Message): AsyncGenerator<Answer, void, undefined> {
    const status = Number(response.headers.get(names.status));
    if (target.kind === "llm" && service.pipeline && status < 400) {
      return yield* refuse(
        { kind: "malformed", code: "empty_body", message: "The request has no body." },
        undefined,
      );
    }
    story.ending = status < 500 ? "rejected" : "failed";
    story.reason = String(response.attributes.get("response.code_details") ?? "answered_by_envoy");
    if (status >= 500) at.root.fail(story.reason);
    yield* overhear(envoy, opening, undefined, at, story, response);
  }

  async function* refuse(refusal: Refusal, chat: Chat | undefined): AsyncGenerator<Answer, void, undefined> {
    if (envoy.ended) return;
    story.ending = refusals[refusal.kind].outcome;
    story.reason = reasonOf(refusal);
    yield* replyNow(refusalAnswer(refusal, chat, service.blockStatus));
  }

  /** Afterwards nothing comes but the end of the stream. */
  async function* replyNow(answer: Answer & { kind: "immediate" }): AsyncGenerator<Answer, void, undefined> {
    if (envoy.ended) return;
    story.status = answer.status;
    if (story.ending !== "blocked" && story.ending !== "rejected" && story.ending !== "failed")
      story.reason = undefined;
    yield answer;
    while (await envoy.next());
  }
}

const refused = (refusal: Refusal): Outcome => ({ kind: "refuse", refusal });

/** Whether the verdict must wait for the body. Other paths are decided on their headers, so uploads flow. */
function waitsForBody(target: Target, { endOfStream }: Message, service: Service): boolean {
  return (
    !endOfStream && service.pipeline !== undefined && (target.kind === "llm" || target.kind === "embeddings")
  );
}

/** What can be refused before the body is sent. */
function refusedByHeaders(
  target: Target,
  { headers, endOfStream, requestBodyMode }: Message,
  service: Service,
): Refusal | undefined {
  if (target.kind !== "llm" || !service.pipeline) return undefined;
  if (requestBodyMode === bodyMode.fullDuplex || requestBodyMode === bodyMode.grpc) {
    return { kind: "misconfigured", message: "Envoy's ext_proc filter must send request bodies BUFFERED." };
  }
  if (endOfStream) return { kind: "malformed", code: "empty_body", message: "The request has no body." };
  const encoding = headers.get(names.contentEncoding)?.trim().toLowerCase();
  if (encoding && encoding !== "identity")
    return { kind: "unsupported_encoding", encoding: encoding.slice(0, 64) };
  if (Number(headers.get(names.contentLength)) > service.maxBodyBytes) {
    return { kind: "too_large", limitBytes: service.maxBodyBytes };
  }
  return undefined;
}

/** A fault becomes an answer here and nowhere else. */
function translate(error: unknown): Refusal {
  if (!(error instanceof StageFault)) return { kind: "internal" };
  if (error.reason === "overloaded") return { kind: "overloaded", stage: error.stage };
  return { kind: "guard_failed", stage: error.stage, reason: error.reason };
}

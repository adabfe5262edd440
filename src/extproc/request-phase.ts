import { type Chat, readChat } from "../chat/request.ts";
import { type Outcome, type Refusal, refusals, StageFault } from "../outcome.ts";
import { cacheHitAnswer, modelsAnswer, refusalAnswer } from "./answers.ts";
import { bodyMode, type Message } from "./decode.ts";
import { embeddingModel } from "./embeddings.ts";
import type { Immediate } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { forwardMutation, stripReserved } from "./forwarding.ts";
import { type Headers, names } from "./headers.ts";
import { overhear } from "./response-phase.ts";
import { describeChat, describeOutcome, reasonOf } from "./root-span.ts";
import type { Service, Serving } from "./service.ts";
import type { Ending } from "./story.ts";
import { type Target, targetOf } from "./target.ts";

/** From the request headers to the verdict; then the response is overheard to its end. */
export async function requestPhase(exchange: Exchange, serving: Pick<Serving, "fault">): Promise<void> {
  const { envoy, opening, service, at, story } = exchange;
  const target = targetOf(opening.headers);
  const refusal = refusedByHeaders(target, opening, service);
  if (refusal) return refuse(exchange, refusal, undefined);
  if (target.kind === "models" && service.pipeline)
    return reply(exchange, "passthrough", modelsAnswer(service.modelList()));

  let verdictOn = opening;
  if (waitsForBody(target, opening, service)) {
    envoy.answer(stripReserved(opening));
    const next = await envoy.next();
    if (!next) return;
    if (next.phase === "responseHeaders") return answeredWithoutUs(exchange, target, next);
    verdictOn = next;
  }

  const { outcome, chat } = await verdict(exchange, serving, target, verdictOn.body);
  if (outcome.kind === "refuse") return refuse(exchange, outcome.refusal, chat);
  describeOutcome(at, outcome, service.guarded);
  if (outcome.kind === "reply") {
    return reply(exchange, "cache_hit", cacheHitAnswer(outcome.contentType, outcome.body));
  }
  try {
    if (envoy.ended) return;
    story.ending = target.kind === "llm" && service.pipeline ? "forwarded" : "passthrough";
    envoy.answer(forwardMutation(exchange, outcome, verdictOn, target.kind === "upgrade"));
    await overhear(exchange, outcome, target.kind === "upgrade" ? { bodies: false } : {});
  } finally {
    outcome.upstream.end(false);
    story.upstream = outcome.upstream;
  }
}

async function verdict(
  { envoy, opening, service, at }: Exchange,
  serving: Pick<Serving, "fault">,
  target: Target,
  body: Buffer,
): Promise<{ outcome: Outcome; chat?: Chat }> {
  if (body.length > service.maxBodyBytes) {
    return { outcome: refused({ kind: "too_large", limitBytes: service.maxBodyBytes }) };
  }
  if (target.kind === "embeddings") {
    const model = embeddingModel(body, service.maxJsonDepth);
    return { outcome: await service.passThrough("embeddings", model, at) };
  }
  if (target.kind !== "llm" || !service.pipeline) {
    return { outcome: await service.passThrough("other", undefined, at) };
  }
  const overtimeMs = service.overtimeMs(body.length);
  if (overtimeMs !== undefined) envoy.askTime(overtimeMs + answerMs);
  const read = readChat(body, target.endpoint, { maxDepth: service.maxJsonDepth });
  if (read.kind === "malformed") return { outcome: refused(read) };
  const { chat } = read;
  if (chat.requestedModel.length > longestModelName) return { outcome: refused(nameTooLong) };
  describeChat(at, chat, service);
  const asker = { path: target.endpoint, tenant: tenantOf(opening.headers, service.tenantHeader) };
  try {
    return { outcome: await service.pipeline(chat, asker, at, envoy), chat };
  } catch (error) {
    if (!envoy.ended) serving.fault(error, chat);
    return { outcome: refused(translate(error)), chat };
  }
}

/** Envoy answered in our place (413, 408), or sent on a request whose body never came. */
async function answeredWithoutUs(exchange: Exchange, target: Target, response: Message): Promise<void> {
  const { story } = exchange;
  const status = Number(response.headers.get(names.status));
  const details = response.attributes.get("response.code_details");
  // A direct response is the route of what nobody routed.
  if (target.kind === "llm" && (status < 400 || details === "direct_response")) {
    return refuse(exchange, emptyBody, undefined);
  }
  story.ending = status < 500 ? "rejected" : "failed";
  story.reason = String(details ?? "answered_by_envoy");
  return overhear(exchange, undefined, { pending: response });
}

function refuse(exchange: Exchange, refusal: Refusal, chat: Chat | undefined): Promise<void> {
  const { envoy, service, at, story } = exchange;
  if (envoy.ended) return Promise.resolve();
  describeOutcome(at, refused(refusal), service.guarded);
  const answer = refusalAnswer(refusal, chat, service.blockStatus);
  const replied = reply(exchange, refusals[refusal.kind].outcome, answer);
  story.reason = reasonOf(refusal);
  return replied;
}

/** Answers in upstream's place. Afterwards nothing comes but the end of the stream. */
async function reply({ envoy, story }: Exchange, ending: Ending, answer: Immediate): Promise<void> {
  if (envoy.ended) return;
  story.ending = ending;
  story.ours = true;
  story.reason = undefined;
  story.status = answer.status;
  envoy.answer(answer);
  while (await envoy.next());
}

/** Whoever shows another credential is another tenant, whichever of the usual headers carries it. */
function tenantOf(headers: Headers, configured: string): string {
  return [configured, ...names.credentials].map((name) => headers.get(name) ?? "").join("\n");
}

/** From the end of the detectors' time to Envoy's: they say what went wrong before Envoy has to. */
const answerMs = 1000;
/** It goes into headers and spans; a prompt must not. */
const longestModelName = 256;
const nameTooLong: Refusal = {
  kind: "malformed",
  code: "invalid_model",
  param: "model",
  message: `"model" is longer than ${longestModelName} characters.`,
};

const refused = (refusal: Refusal): Outcome => ({ kind: "refuse", refusal });
const emptyBody: Refusal = { kind: "malformed", code: "empty_body", message: "The request has no body." };

const disguised: Refusal = {
  kind: "malformed",
  code: "invalid_path",
  message:
    "The path is not spelled as the API has it; use it as documented, without encoding, in lower case.",
};

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
  if (!service.pipeline) return undefined;
  if (target.kind === "disguised") return disguised;
  if (target.kind === "unguarded" && service.guarded) return { kind: "unguarded_path" };
  if (target.kind !== "llm") return undefined;
  if (requestBodyMode === bodyMode.fullDuplex || requestBodyMode === bodyMode.grpc) {
    return { kind: "misconfigured", message: "Envoy's ext_proc filter must send request bodies BUFFERED." };
  }
  if (endOfStream) return emptyBody;
  const encoding = headers.get(names.contentEncoding)?.trim().toLowerCase();
  if (encoding && encoding !== "identity") {
    return { kind: "unsupported_encoding", encoding: encoding.slice(0, 64) };
  }
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

import { randomUUID } from "node:crypto";
import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { type ReceivedSpan, startOtlpReceiver } from "../../../scripts/demo/otlp-receiver.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { oracle, sends } from "../../support/ext-proc.ts";
import { freePort } from "../../support/ports.ts";
import { startRouterProcess } from "../matrix/process.ts";
import { answersOfRouter, eventually } from "../matrix/stage.ts";
import { type Answer, send } from "./client.ts";
import { marks } from "./marks.ts";
import { type CanaryRequest, headers, requests } from "./requests.ts";
import { startCanaryUpstream } from "./upstream.ts";

/** One way to run the router. */
export interface Variant {
  /** Where its spans go; `refusing`: to a collector that quotes the headers which it refuses. */
  readonly collector: "receiver" | "stdout" | "refusing" | "down";
  readonly tracing?: object;
  readonly inference?: object;
}

/** All that anybody may read of what the router and Envoy have done. */
export interface Traces {
  readonly answers: readonly {
    readonly request: CanaryRequest;
    readonly id: string;
    readonly answer?: Answer;
  }[];
  readonly spans: readonly ReceivedSpan[];
  readonly log: string;
  readonly out: string;
  readonly accessLog: string;
}

/** Plays every request, then some that no Envoy would send, then a file that is wrong; then stops. */
export async function playCanaries(variant: Variant): Promise<Traces> {
  await using upstream = await startCanaryUpstream();
  await using receiver = await startOtlpReceiver();
  await using refusing = await startRefusing();
  using folder = mkdtempDisposableSync(join(tmpdir(), "canary-test-"));
  const headerFile = join(folder.path, "key");
  writeFileSync(headerFile, marks.exporterHeaderFile);
  const downPort = await freePort();
  const good = { name: "good", address: "127.0.0.1", port: upstream.port };
  const endpoints = [good, { name: "dead", address: "127.0.0.1", port: downPort }];
  const grpc = (port: number) => ({ endpoint: `127.0.0.1:${port}`, insecure: true });
  const exporter = {
    receiver: grpc(receiver.port),
    down: grpc(downPort),
    refusing: { endpoint: `http://127.0.0.1:${refusing.port}`, protocol: "http/protobuf" },
    stdout: { type: "stdout" },
  }[variant.collector];
  const secrets = {
    headers: { "x-collector-key": marks.exporterHeader },
    header_files: { "x-collector-token": headerFile },
    batch: { delay_ms: 50 },
  };
  const config = configuration(endpoints, { ...secrets, ...exporter }, variant);
  const router = await startRouterProcess(config, { SR_LOG_LEVEL: "trace" });
  try {
    await using envoy = await startEnvoy({
      endpoints,
      processor: { address: "127.0.0.1", port: router.port },
    });
    const answers: { request: CanaryRequest; id: string; answer?: Answer }[] = [];
    // One after another: what is found in the cache was put there before.
    for (const request of requests) {
      const id = `canary-${randomUUID()}`;
      const before = await answersOfRouter(envoy);
      const reachedRouter = () =>
        eventually("the router has it", async () => (await answersOfRouter(envoy)) > before);
      const answer = await within(request.name, send(envoy.port, id, request, upstream, reachedRouter));
      answers.push({ request, id, ...(answer && { answer }) });
    }
    await within("garbage", speakGarbage(router.port));
    router.configure({ ...config, observability: { tracing: { user_id: { hash_key: [marks.hashKey] } } } });
    await eventually("a wrong file is refused", () => router.log().includes("configuration not reloaded"));
    router.terminate();
    await router.ended();
    return {
      answers,
      spans: receiver.spans,
      log: router.log(),
      out: router.out(),
      accessLog: envoy.accessLog().join("\n"),
    };
  } finally {
    await router.stop();
  }
}

/** What hangs is named. */
async function within<T>(name: string, done: Promise<T>, ms = 15_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`"${name}" is not over after ${ms} ms`)), ms);
  });
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}

/** What is no message, in the place of one: what fails on it must not quote it. */
async function speakGarbage(port: number): Promise<void> {
  // A body whose announced length is never reached.
  const garbage = Buffer.concat([Buffer.from([0x22, 0x7f]), Buffer.from(marks.garbage)]);
  const opening = oracle.requestSerialize(sends.requestHeaders(headers));
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  for (const messages of [[garbage], [opening, garbage]]) {
    const stream = client.makeBidiStreamRequest(
      "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
      same,
      same,
    );
    const over = new Promise<void>((resolve) => stream.on("status", () => resolve()));
    stream.on("error", () => {}).on("data", () => {});
    for (const bytes of messages) stream.write(bytes);
    stream.end();
    await over;
  }
  client.close();
}

/** A collector that takes nothing, and says of whom it took nothing. */
async function startRefusing() {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response
        .writeHead(401, { "content-type": "text/plain" })
        .end(`who is ${JSON.stringify(request.headers)}?`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { port, [Symbol.asyncDispose]: stop };
}

function configuration(endpoints: readonly object[], exporter: object, { tracing, inference }: Variant) {
  const model = (endpoint: string, allow_by_default: boolean) => ({
    preferred_endpoints: [endpoint],
    pii_policy: { allow_by_default },
  });
  const model_scores = [{ model: "open", score: 0.9, use_reasoning: false }];
  const system_prompt = `You are exact. ${marks.configuredPrompt}`;
  return {
    vllm_endpoints: endpoints,
    model_config: {
      open: model("good", true),
      plain: model("good", true),
      strict: model("good", false),
      dead: model("dead", true),
    },
    default_model: "open",
    categories: [
      { name: "math", system_prompt, model_scores },
      { name: "other", system_prompt, model_scores },
    ],
    classifier: { category_model: { threshold: 0.5 }, pii_model: {} },
    // The marks are letters at random, which the guard distrusts.
    prompt_guard: { enabled: true, threshold: 0.7 },
    semantic_cache: { enabled: true, similarity_threshold: 0.97 },
    limits: { max_body_bytes: 65_536 },
    ...(inference && { inference }),
    observability: {
      tracing: { enabled: true, exporter, user_id: { hash_key: marks.hashKey }, ...tracing },
    },
  };
}

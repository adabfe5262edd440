import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type OtlpReceiver, startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { printTree } from "../../scripts/demo/print-tree.ts";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { painter } from "../../scripts/lib/paint.ts";
import { checkPorts } from "../../scripts/lib/ports.ts";
import { processorArgs } from "../../scripts/lib/processor.ts";
import {
  ENVOY_FLAGS,
  envoyReady,
  type Service,
  startService,
  writeEnvoyConfig,
} from "../../scripts/lib/service.ts";
import { readSettings } from "../../scripts/lib/settings.ts";
import { type Mode, startClient } from "./dummy_client.ts";
import { targetOf } from "./lib/otlp.ts";

// Client, Envoy, router and a server like vLLM on this machine, all sending spans to one place; then three calls, and
// their traces. It stays up, and prints the trace of whatever else comes through.

const MODEL = "facebook/opt-125m";
const QUESTIONS: readonly (readonly [Mode, string])[] = [
  ["completions", "Once upon a time"],
  ["chat", "What is the derivative of x^3 * sin(x)?"],
  ["stream", "Compute the integral of sin(x) from 0 to pi."],
];
const ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
const INSECURE = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";

const paint = painter();
const stops: (() => Promise<unknown>)[] = [];
let stopping: Promise<never> | undefined;

function stopAll(exitCode: number): Promise<never> {
  stopping ??= (async () => {
    await Promise.allSettled(stops.toReversed().map((stop) => stop()));
    return process.exit(exitCode);
  })();
  return stopping;
}

function guard(service: Service): void {
  stops.push(() => service.stop());
  void service.ended.then((how) => {
    if (stopping) return;
    console.error(paint("red", `the ${service.name} ${how}; its last words: ${service.lastLine()}`));
    return stopAll(1);
  });
}

/** The variables that all parts share; without a collector of the user's, they lead to a receiver here. */
async function shared(): Promise<{ env: Record<string, string>; receiver: OtlpReceiver | undefined }> {
  const protocol = process.env[PROTOCOL] || "grpc";
  const own = process.env[ENDPOINT];
  const plain = { [PROTOCOL]: protocol, [INSECURE]: process.env[INSECURE] || "true" };
  // Says now what would be wrong with it.
  targetOf(own ?? "", plain);
  if (own) return { env: { ...plain, [ENDPOINT]: own }, receiver: undefined };
  const receiver = await startOtlpReceiver();
  stops.push(() => receiver.stop());
  const grpc = `grpc://127.0.0.1:${receiver.port}`;
  const endpoint = protocol === "grpc" ? grpc : `http://127.0.0.1:${receiver.httpPort}/v1/traces`;
  return { env: { ...plain, [ENDPOINT]: endpoint, OTEL_BSP_SCHEDULE_DELAY: "200" }, receiver };
}

async function start(): Promise<void> {
  const settings = readSettings();
  const { processorPort, envoyPort, adminPort, demoPort } = settings;
  await checkPorts([
    { port: processorPort, use: "the processor", variable: "PROCESSOR_PORT" },
    { port: envoyPort, use: "Envoy", variable: "ENVOY_PORT" },
    { port: adminPort, use: "Envoy's admin page", variable: "ENVOY_ADMIN_PORT" },
    { port: demoPort, use: "the vLLM-like server", variable: "DEMO_PORT" },
  ]);
  const envoyBinary = await ensureEnvoy(console.log);
  const { env, receiver } = await shared();
  const endpoint = env[ENDPOINT]!;

  const script = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "vllm_server.ts")];
  const flags = [MODEL, "--port", String(demoPort), "--otlp-traces-endpoint", endpoint];
  const asVllm = { ...env, OTEL_SERVICE_NAME: "vllm-server" };
  guard(startService("vllm-server", process.execPath, [...script, ...flags], asVllm));

  const config = ["--config", join(import.meta.dirname, "router.yaml")];
  const listen = ["--listen", `127.0.0.1:${processorPort}`];
  guard(
    startService("processor", process.execPath, processorArgs(...config, ...listen), {
      ...env,
      OTEL_SERVICE_NAME: "vllm-semantic-router",
      VLLM_PORT: String(demoPort),
    }),
  );
  const endpoints = [{ name: "vllm", address: "127.0.0.1", port: demoPort }];
  const envoyFile = writeEnvoyConfig(settings, { endpoints, endpointHeader: "name" });
  guard(startService("envoy", envoyBinary, ["-c", envoyFile, ...ENVOY_FLAGS]));
  await envoyReady(adminPort, 30_000);

  const url = `http://127.0.0.1:${envoyPort}`;
  await ask(url, env, receiver);
  console.log(`\nThe router is at ${url}. For a call of your own, in another terminal:\n`);
  const variables = Object.entries(env).filter(([name]) => name.startsWith("OTEL_EXPORTER"));
  for (const [name, value] of variables) console.log(`  export ${name}=${value}`);
  console.log(`  python3 examples/opentelemetry/dummy_client.py --url ${url}\n`);
  console.log("Ctrl-C stops everything.");
  if (receiver) await printFurther(receiver);
}

async function ask(
  url: string,
  env: Record<string, string>,
  receiver: OtlpReceiver | undefined,
): Promise<void> {
  const client = startClient({ ...env, OTEL_SERVICE_NAME: "client-service" });
  const replies = [];
  for (const [mode, prompt] of QUESTIONS) {
    replies.push({ mode, prompt, reply: await client.ask({ url, mode, model: "auto", prompt }) });
  }
  await client.stop();
  for (const { mode, prompt, reply } of replies) {
    console.log(`\n${paint("bold", `${mode}:`)} ${prompt}\n  ${reply.status}  trace ${reply.traceId}`);
    if (!receiver) continue;
    printed.add(reply.traceId);
    const spans = await receiver.waitFor(reply.traceId, whole, 15_000);
    console.log(printTree(spans, paint).replace(/^/gm, "  "));
  }
  if (!receiver) console.log(`\nspans went to ${env[ENDPOINT]}, as the environment asks`);
}

type Spans = OtlpReceiver["spans"];
const printed = new Set<string>();
const NEEDED = ["client-span", "semantic_router.request.received", "llm_request"];
const whole = (spans: Spans): boolean => NEEDED.every((one) => spans.some(({ name }) => name === one));

/** One tree for every further trace, as soon as it is whole. */
async function printFurther(receiver: OtlpReceiver): Promise<never> {
  const open = new Set<string>();
  for (let read = 0; ; ) {
    for (; read < receiver.spans.length; read++) open.add(receiver.spans[read]!.traceId);
    for (const id of open) {
      const spans = receiver.spans.filter(({ traceId }) => traceId === id);
      if (!whole(spans)) continue;
      if (!printed.has(id)) console.log(`\ntrace ${id}\n${printTree(spans, paint)}`);
      printed.add(id);
      open.delete(id);
    }
    await sleep(200);
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stopAll(0));
try {
  await start();
} catch (error) {
  if (!stopping) console.error(paint("red", error instanceof Error ? error.message : String(error)));
  await stopAll(1);
}

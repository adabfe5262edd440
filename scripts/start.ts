import { setTimeout as sleep } from "node:timers/promises";
import { startModelServer } from "./demo/model-server.ts";
import type { OtlpReceiver } from "./demo/otlp-receiver.ts";
import { printTree } from "./demo/print-tree.ts";
import { curlLine, SAMPLES, type SampleResult, send } from "./demo/samples.ts";
import { ensureEnvoy } from "./envoy-binary.ts";
import { painter } from "./lib/paint.ts";
import { checkPorts } from "./lib/ports.ts";
import { processorArgs } from "./lib/processor.ts";
import { ENVOY_FLAGS, envoyReady, type Service, startService, writeEnvoyConfig } from "./lib/service.ts";
import { readConfig, readSettings } from "./lib/settings.ts";

// The quickstart: everything on this machine, sample prompts with their traces, and then it stays up.

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 1_500;

const paint = painter();
const say = (line = ""): void => console.log(line);
const stops: (() => Promise<unknown>)[] = [];
let stopping: Promise<never> | undefined;

/** Ends what was started, the last first, and exits. The first call decides the exit code. */
function stopAll(exitCode: number): Promise<never> {
  stopping ??= (async () => {
    await Promise.allSettled(stops.toReversed().map((stop) => stop()));
    return process.exit(exitCode);
  })();
  return stopping;
}

/** From now on its death ends everything. */
function guard(service: Service): void {
  stops.push(() => service.stop(STOP_LIMIT_MS));
  void service.ended.then(async (how) => {
    // A signal to the whole group reaches us as well, if only a little later.
    await sleep(100);
    if (stopping) return;
    console.error(
      paint("red", `the ${service.name} ${how}; its last words in ${service.log}: ${service.lastLine()}`),
    );
    await stopAll(1);
  });
}

async function start(): Promise<void> {
  const settings = readSettings();
  const { file, config, endpoints, warnings } = readConfig(settings);
  for (const warning of warnings) say(paint("yellow", `warning: ${warning}`));
  const demo = settings.ownConfig === undefined;
  await checkPorts([
    { port: settings.processorPort, use: "the processor", variable: "PROCESSOR_PORT" },
    { port: settings.envoyPort, use: "Envoy", variable: "ENVOY_PORT" },
    { port: settings.adminPort, use: "Envoy's admin page", variable: "ENVOY_ADMIN_PORT" },
    ...(demo
      ? endpoints.map(({ name, port }) => ({ port, use: `the demo server ${name}`, variable: "DEMO_PORT" }))
      : []),
  ]);
  const envoyBinary = await ensureEnvoy(say);

  const receiver = demo && !settings.collector ? await startReceiver() : undefined;
  const spansTo = receiver ? `127.0.0.1:${receiver.port}` : settings.collector;
  const listen = `127.0.0.1:${settings.processorPort}`;
  guard(
    startService("processor", process.execPath, processorArgs("--config", file, "--listen", listen), {
      ...(demo && spansTo && { OTLP_ENDPOINT: spansTo, ...withoutOtel(receiver !== undefined) }),
    }),
  );
  const envoyFile = writeEnvoyConfig(settings, { endpoints, endpointHeader: config.routing.endpoint_header });
  guard(startService("envoy", envoyBinary, ["-c", envoyFile, ...ENVOY_FLAGS]));
  if (demo) {
    for (const { name, port } of endpoints) {
      const server = await startModelServer({ name, port });
      stops.push(() => server.stop());
    }
  }
  await envoyReady(settings.adminPort, START_LIMIT_MS);
  say(paint("green", `ready in ${(performance.now() / 1_000).toFixed(1)} s`));

  if (demo) await showSamples(settings.envoyPort, receiver);
  if (demo && !receiver)
    say(
      `spans are sent to ${settings.collector}, as the environment asks; the processor's log tells if they cannot be`,
    );
  if (!demo && endpoints.length > 0)
    say(`routes to ${endpoints.map(({ name }) => name).join(", ")}, as ${file} says`);
  if (endpoints.length === 0) {
    say(
      `${file} names no vllm_endpoints: requests pass the processor and are traced, but this Envoy has nowhere to send`,
    );
    say("them and answers 503. Name endpoints, or use the processor behind an Envoy with routes of its own.");
  }
  say(`\nTry it:\n\n  ${curlLine(settings.envoyPort)}\n\nLogs are in .cache/logs. Ctrl-C stops everything.`);
}

/**
 * Variables of OpenTelemetry that would send the quickstart's spans elsewhere: all of them where they come to us, else
 * the endpoints that `OTLP_ENDPOINT` stands before. Empty is as good as unset.
 */
function withoutOtel(all: boolean): Record<string, string> {
  const unset = all
    ? Object.keys(process.env).filter((name) => name.startsWith("OTEL_"))
    : process.env.OTLP_ENDPOINT
      ? ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
      : [];
  return Object.fromEntries(unset.map((name) => [name, ""]));
}

async function startReceiver(): Promise<OtlpReceiver> {
  const { startOtlpReceiver } = await import("./demo/otlp-receiver.ts");
  const receiver = await startOtlpReceiver();
  stops.push(() => receiver.stop());
  return receiver;
}

/** Spans come in batches about once a second, so all prompts are sent before the first tree is waited for. */
async function showSamples(port: number, receiver: OtlpReceiver | undefined): Promise<void> {
  const results: SampleResult[] = [];
  for (const sample of SAMPLES) results.push(await send(sample, port));
  for (const { label, prompt, status, route, traceId } of results) {
    say(`\n${paint("bold", `${label}:`)} ${prompt}`);
    say(`  ${status}  ${paint("cyan", route)}`);
    if (!receiver) continue;
    const tree = await receiver.waitFor(traceId).then(
      (spans) => printTree(spans, paint),
      (error: Error) => paint("yellow", error.message),
    );
    say(tree.replace(/^/gm, "  "));
  }
}

// Having been asked to stop is no failure: npm would print one for any other code.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stopAll(0));
try {
  await start();
} catch (error) {
  if (!stopping) console.error(paint("red", error instanceof Error ? error.message : String(error)));
  await stopAll(1);
}

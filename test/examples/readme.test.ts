import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "../../examples/opentelemetry/vllm_server.ts";
import { loadConfig } from "../../src/config/load.ts";
import { relativeLinks, repoRoot, textOf } from "../support/repo.ts";

const FOLDER = "examples/opentelemetry";
const readme = textOf(`${FOLDER}/README.md`);

test("the README's links lead somewhere, and its files are all there are", () => {
  const links = relativeLinks(`${FOLDER}/README.md`, readme);
  assert.ok(links.length > 5);
  for (const link of links) assert.ok(existsSync(join(repoRoot, link)), link);
});

test("every command of ours in the README is one that there is", () => {
  const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, text]) =>
    text!.trimEnd().split("\n"),
  );
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  for (const command of commands) {
    const script = /npm run (\S+)/.exec(command)?.[1];
    if (script) assert.ok(scripts[script]?.includes(`${FOLDER}/run.ts`), command);
    for (const [file] of command.matchAll(/examples\/\S+/g))
      assert.ok(existsSync(join(repoRoot, file)), file);
  }
  const vllm = commands.find((command) => command.startsWith("vllm serve "));
  const [, , ...args] = vllm!.split(" ");
  const { models, endpoint } = readSettings(args, {});
  assert.deepEqual([models, endpoint], [["facebook/opt-125m"], "grpc://localhost:4317"]);
});

test("the versions in requirements.txt are pinned", () => {
  const lines = readFileSync(join(repoRoot, FOLDER, "requirements.txt"), "utf8")
    .trim()
    .split("\n");
  for (const line of lines.filter((one) => !one.startsWith("#"))) assert.match(line, /^[a-z-]+==[\d.]+$/);
});

test("router.yaml loads without a warning, with the POC's variables and without any", () => {
  const load = (env: Record<string, string>) => loadConfig(join(repoRoot, FOLDER, "router.yaml"), env);
  const plain = load({});
  assert.deepEqual(plain.warnings, []);
  assert.equal(plain.config.vllm_endpoints[0]?.port, 8000);
  const { endpoint, insecure } = plain.config.observability.tracing.exporter;
  assert.deepEqual([endpoint, insecure], ["grpc://localhost:4317", true]);
  const overHttp = load({
    VLLM_PORT: "9000",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://jaeger:4318/v1/traces",
  });
  assert.deepEqual(overHttp.warnings, []);
  assert.equal(overHttp.config.vllm_endpoints[0]?.port, 9000);
  assert.equal(overHttp.config.observability.tracing.exporter.protocol, "http/protobuf");
});

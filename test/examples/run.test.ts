import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { checkPorts } from "../../scripts/lib/ports.ts";
import { demoEnv, runScript } from "../support/demo.ts";
import { envoyMissing } from "../support/envoy.ts";
import { repoRoot } from "../support/repo.ts";
import { joined } from "./joined.ts";
import { protocols, variables } from "./stage.ts";

const RUN = "examples/opentelemetry/run.ts";
/** Nothing of the caller's shell. */
const CLEAN = {
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "",
  OTEL_EXPORTER_OTLP_TRACES_INSECURE: "",
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "",
};
const TREE =
  /^ {2}client-span \[client-service\] .*\n {2}└─ semantic_router\.request\.received \[vllm-semantic-router\] .*\n(?: {5}├─ semantic_router\..*\n){6,7} {5}└─ semantic_router\.upstream\.request .*\n {8}└─ llm_request \[vllm-server\] /gm;

describe("examples/opentelemetry/run.ts", { skip: envoyMissing }, () => {
  for (const protocol of protocols) {
    test(`shows three joined trees, then what others send, over ${protocol}`, async () => {
      const env = await demoEnv();
      const script = runScript(RUN, { ...env, ...CLEAN, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol });
      try {
        await script.says("Ctrl-C stops everything.");
        assert.equal(script.output().match(TREE)?.length, 3, script.output());

        const exports = [...script.output().matchAll(/^ {2}export (\w+)=(\S+)$/gm)];
        const asTold = Object.fromEntries(exports.map(([, name, value]) => [name, value]));
        const url = `http://127.0.0.1:${env.ENVOY_PORT}`;
        const client = "examples/opentelemetry/dummy_client.ts";
        const { stdout } = await promisify(execFile)(
          process.execPath,
          ["--disable-warning=ExperimentalWarning", client, "--url", url, "--mode", "completions"],
          { cwd: repoRoot, env: { ...process.env, ...asTold } },
        );
        const [, status, id] = /^(\d+) .*\ntrace (\w+)$/m.exec(stdout) ?? [];
        assert.equal(status, "200", stdout);
        await script.says(`\ntrace ${id}\nclient-span [client-service]`);
      } finally {
        script.child.kill("SIGINT");
      }
      assert.equal(await script.exited, 0);
      const ports = Object.entries(env).map(([variable, port]) => ({
        port: Number(port),
        use: variable,
        variable,
      }));
      await checkPorts(ports);
    });
  }

  test("with a collector of the user's, everything goes there", async () => {
    await using receiver = await startOtlpReceiver();
    const script = runScript(RUN, { ...(await demoEnv()), ...CLEAN, ...variables("grpc", receiver) });
    try {
      await script.says("as the environment asks");
      assert.doesNotMatch(script.output(), /client-span/);
      const calls = [...script.output().matchAll(/^ {2}200 {2}trace (\w+)$/gm)];
      assert.equal(calls.length, 3);
      for (const [, traceId = ""] of calls) {
        const isClient = (span: { traceId: string; name: string }) =>
          span.traceId === traceId && span.name === "client-span";
        const { spanId } = await receiver.waitForSpan(isClient, 15_000);
        await joined(receiver, { traceId, spanId });
      }
    } finally {
      script.child.kill("SIGINT");
    }
    assert.equal(await script.exited, 0);
  });
});

test("a protocol that nobody knows is one line, and an exit code", async () => {
  const script = runScript(RUN, {
    ...(await demoEnv()),
    ...CLEAN,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
  });
  assert.equal(await script.exited, 1);
  assert.match(script.output(), /_PROTOCOL=http\/json is not known: write grpc or http\/protobuf\n$/);
});

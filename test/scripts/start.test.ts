import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { checkPorts } from "../../scripts/lib/ports.ts";
import { demoEnv, runScript } from "../support/demo.ts";
import { envoyMissing } from "../support/envoy.ts";
import { freePort } from "../support/ports.ts";

const folder = mkdtempSync(join(tmpdir(), "start-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const wanted = (env: Record<string, string>) =>
  Object.entries(env).map(([variable, port]) => ({ port: Number(port), use: variable, variable }));

describe("npm start", { skip: envoyMissing }, () => {
  test("sends the prompts, prints whole trees, stays up, and leaves nothing behind", async () => {
    // What the shell has for other programs does not send the quickstart's spans elsewhere, or away.
    const ambient = {
      OTEL_SDK_DISABLED: "true",
      OTEL_TRACES_SAMPLER: "always_off",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    };
    const env = await demoEnv();
    const script = runScript("scripts/start.ts", { ...env, ...ambient });
    await script.says("Ctrl-C stops everything.");
    const output = script.output();
    assert.match(output, /^ready in \d+\.\d s$/m);
    for (const route of ["math -> math-model -> math-endpoint", "code-endpoint", "general-endpoint"]) {
      assert.ok(output.includes(route), `${route} in:\n${output}`);
    }
    assert.match(output, /403 {2}refused: personal data/);
    assert.match(output, /403 {2}refused: jailbreak/);
    assert.match(output, /the first again: .*\n {2}200 {2}.*answered from the cache/);
    assert.equal(output.match(/^ {2}semantic_router\.request\.received /gm)?.length, 6);
    assert.equal(output.match(/^ {2}└─ semantic_router\.upstream\.request /gm)?.length, 3);
    assert.ok(!output.includes("\u001b["), "no colour in a pipe");

    const curl = /^ {2}(curl .*)$/m.exec(output)?.[1] ?? "";
    const answer = spawnSync("/bin/sh", ["-c", curl], { encoding: "utf8" });
    assert.match(answer.stdout, /^HTTP\/1\.1 200 OK/);

    const began = performance.now();
    script.child.kill("SIGINT");
    assert.equal(await script.exited, 0);
    assert.ok(performance.now() - began < 3_000, "stops soon");
    await checkPorts(wanted(env));
  });

  test("CONFIG_PATH: the user's endpoints, no demo servers, no prompts", async () => {
    const env = await demoEnv();
    const file = join(folder, "my.yaml");
    const quickstart = readFileSync(
      join(import.meta.dirname, "../../examples/config/quickstart.yaml"),
      "utf8",
    );
    writeFileSync(file, quickstart.replace("port: 8811", `port: ${env.DEMO_PORT}`));
    const script = runScript("scripts/start.ts", { ...env, CONFIG_PATH: file });
    await script.says("Ctrl-C stops everything.");
    assert.ok(script.output().includes(`as ${file} says`));
    assert.doesNotMatch(script.output(), /semantic_router\./);
    await checkPorts(wanted({ DEMO_PORT: env.DEMO_PORT ?? "" }));
    script.child.kill("SIGTERM");
    assert.equal(await script.exited, 0);
  });
});

test("a taken port is one line with the remedy", async () => {
  const env = await demoEnv();
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(Number(env.ENVOY_PORT), "127.0.0.1", resolve));
  const script = runScript("scripts/start.ts", env);
  assert.equal(await script.exited, 1);
  squatter.close();
  const remedy = `choose another with ENVOY_PORT=${Number(env.ENVOY_PORT) + 1_000}`;
  assert.equal(
    script.output(),
    `port ${env.ENVOY_PORT}, wanted for Envoy, is already in use: stop what has it, or ${remedy}\n`,
  );
});

const refused = [
  {
    name: "a port that is no number",
    env: { ENVOY_PORT: "http" },
    says: /^ENVOY_PORT=http is not a port number/,
  },
  {
    name: "one port for two",
    env: { ENVOY_PORT: "7001", PROCESSOR_PORT: "7001" },
    says: /^port 7001 is wanted for both/,
  },
  {
    name: "a configuration that is not there",
    env: { CONFIG_PATH: "nowhere.yaml" },
    says: /cannot read nowhere.yaml/,
  },
  {
    name: "an ENVOY_BIN that is not there",
    env: { ENVOY_BIN: "/nowhere" },
    says: /^ENVOY_BIN names \/nowhere/,
  },
];
for (const { name, env, says } of refused) {
  test(`${name} is one line`, async () => {
    const script = runScript("scripts/start.ts", { ...(await demoEnv()), ...env });
    assert.equal(await script.exited, 1);
    assert.match(script.output(), says);
    assert.equal(script.output().trim().split("\n").length, 1);
  });
}

test("the demo servers run alone", async () => {
  const env = await demoEnv();
  const script = runScript("scripts/demo-models.ts", env);
  await script.says("Ctrl-C stops them.");
  const list = await fetch(`http://127.0.0.1:${env.DEMO_PORT}/v1/models`);
  assert.equal(list.status, 200);
  script.child.kill("SIGINT");
  assert.equal(await script.exited, 0);
});

test("a port that is free passes the check", async () => {
  await checkPorts([{ port: await freePort(), use: "a test", variable: "NONE" }]);
});

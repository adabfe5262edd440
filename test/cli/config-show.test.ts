// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file is what is tested
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { repoRoot } from "../support/repo.ts";
import { ran } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "show-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "my.yaml");
writeFileSync(
  file,
  `bert_model:
  threshold: 0.6
  use_cpu: true
vllm_endpoints:
  - { name: "\${NAME}", address: h, port: "\${PORT:-8000}" }
model_config:
  org/m.1: { preferred_endpoints: ["\${NAME}"] }
default_model: org/m.1
categories:
  - name: math
    system_prompt: |
      Work step by step.
        Check: # the result
    model_scores: [{ model: org/m.1, score: 1, use_reasoning: false }]
admin: { token: s3cret-1 }
observability:
  tracing:
    enabled: true
    user_id: { hash_key: "\${KEY}" }
    exporter:
      endpoint: https://c.example/v1/k3y9876543210abcdef/traces?key=s3cret-4
      headers: { authorization: s3cret-2 }
logging: { level: }
`,
);
const env = { NAME: "Blue", KEY: "s3cret-3" };

async function shown(args: readonly string[], more: Record<string, string> = {}) {
  const { status, out, err } = await ran(["config", "show", "--config", file, ...args], {
    env: { ...env, ...more },
  });
  assert.equal(status, 0, err);
  return { out, err };
}
interface Shown {
  readonly config: Record<string, unknown>;
  readonly origins: Record<string, string>;
  readonly also_in_force: readonly object[];
  readonly without_effect: readonly object[];
}
async function asJson(args: readonly string[], more: Record<string, string> = {}): Promise<Shown> {
  return JSON.parse((await shown(["--origins", "--json", ...args], more)).out) as Shown;
}

describe("config show", () => {
  test("the file's own values, expanded; secrets are stars", async () => {
    const { out } = await shown([]);
    assert.deepEqual(parse(out), {
      admin: { token: "***" },
      vllm_endpoints: [{ name: "Blue", address: "h", port: 8000 }],
      model_config: { "org/m.1": { preferred_endpoints: ["Blue"] } },
      default_model: "org/m.1",
      categories: [
        {
          name: "math",
          system_prompt: "Work step by step.\n  Check: # the result\n",
          model_scores: [{ model: "org/m.1", score: 1, use_reasoning: false }],
        },
      ],
      bert_model: { threshold: 0.6 },
      observability: {
        tracing: {
          enabled: true,
          user_id: { hash_key: "***" },
          exporter: {
            endpoint: "https://c.example/v1/…/traces?...",
            headers: { authorization: "***" },
          },
        },
      },
    });
    assert.ok(
      out.endsWith("#   bert_model.use_cpu, line 3\n"),
      "what has no effect is not shown as if it had",
    );
  });

  test("nothing that is secret is in any of its outputs", async () => {
    for (const args of [[], ["--effective"], ["--effective", "--origins"], ["--effective", "--json"]]) {
      const { out, err } = await shown(args, { OTEL_EXPORTER_OTLP_HEADERS: "x-a=s3cret-5,x-b=s3cret-6" });
      assert.doesNotMatch(out + err, /s3cret|k3y9/);
    }
  });

  test("--effective adds every default", async () => {
    const { out } = await shown(["--effective"]);
    const { config } = loadConfig(file, env);
    const expected = structuredClone(config) as unknown as Record<string, Record<string, unknown>>;
    expected.admin!.token = "***";
    const { tracing } = expected.observability as { tracing: Record<string, Record<string, unknown>> };
    tracing!.user_id!.hash_key = "***";
    tracing!.exporter!.headers = { authorization: "***" };
    tracing!.exporter!.endpoint = "https://c.example/v1/…/traces?...";
    assert.deepEqual(parse(out), JSON.parse(JSON.stringify(expected)));
  });

  test("--origins says where each is from, behind it", async () => {
    const { out } = await shown(["--effective", "--origins"]);
    for (const line of [
      "  - name: Blue # variable NAME at my.yaml:5",
      "    port: 8000 # variable PORT at my.yaml:5",
      "    address: h # my.yaml:5",
      "    system_prompt: | # my.yaml:11",
      '  token: "***" # my.yaml:15',
      "  listen: 127.0.0.1:50051 # default",
      '      hash_key: "***" # variable KEY at my.yaml:19',
      "  similarity_threshold: 0.6 # bert_model.threshold at my.yaml:2",
      "keyword_rules: [] # default",
      "  level: info # default",
    ])
      assert.ok(out.split("\n").includes(line), `${line}\n${out}`);
    const values = out.split("\n").filter((line) => /^ *(?:- )?(?:[\w/.]+|"[^"]+"): \S/.test(line));
    assert.ok(values.length > 70, String(values.length));
    for (const line of values.filter((one) => !one.includes("Check"))) assert.match(line, / # \S/);
  });

  test("what the environment decides says so", async () => {
    const { config, origins, also_in_force } = await asJson(["--effective"], {
      SR_LOG_LEVEL: "debug",
      OTEL_SERVICE_NAME: "router-7",
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=x,team-key=y",
      OTEL_BSP_MAX_QUEUE_SIZE: "100",
      OTEL_RESOURCE_ATTRIBUTES: "team=search",
    });
    const tracing = (config.observability as { tracing: Record<string, Record<string, unknown>> }).tracing;
    const at = (path: string) => [
      path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], tracing),
      origins[`observability.tracing.${path}`],
    ];
    assert.deepEqual(at("resource.service_name"), ["router-7", "environment OTEL_SERVICE_NAME"]);
    assert.deepEqual(at("sampling.type"), ["probabilistic", "environment OTEL_TRACES_SAMPLER"]);
    assert.deepEqual(at("sampling.rate"), [0.25, "environment OTEL_TRACES_SAMPLER_ARG"]);
    assert.deepEqual(at("sampling.parent_based"), [true, "environment OTEL_TRACES_SAMPLER"]);
    assert.deepEqual(at("exporter.endpoint"), [
      "http://otel:4318/v1/traces",
      "environment OTEL_EXPORTER_OTLP_ENDPOINT",
    ]);
    assert.deepEqual(at("exporter.headers.authorization"), ["***", "environment OTEL_EXPORTER_OTLP_HEADERS"]);
    assert.deepEqual(at("exporter.queue.max_spans"), [100, "environment OTEL_BSP_MAX_QUEUE_SIZE"]);
    assert.deepEqual(at("exporter.batch.max_spans"), [100, "environment OTEL_BSP_MAX_QUEUE_SIZE"]);
    assert.deepEqual(at("exporter.timeout_ms"), [10_000, "default"]);
    assert.equal((config.logging as { level: string }).level, "debug");
    assert.equal(origins["logging.level"], "environment SR_LOG_LEVEL");
    const others = JSON.stringify(also_in_force);
    for (const part of [
      '"path":"tracing headers.team-key","value":"set","origin":"environment OTEL_EXPORTER_OTLP_HEADERS"',
      '"path":"tracing resource.team","value":"search","origin":"environment OTEL_RESOURCE_ATTRIBUTES"',
      '"path":"tracing value_limit","value":"256","origin":"default"',
    ])
      assert.ok(others.includes(part), `${part}\n${others}`);
  });

  test("without --effective the environment does not", async () => {
    const { config, origins } = await asJson([], { SR_LOG_LEVEL: "debug", OTEL_SERVICE_NAME: "x" });
    assert.equal(config.logging, undefined);
    const own = join(folder, "level.yaml");
    writeFileSync(own, "logging: { level: warn }\n");
    const { out } = await ran(["config", "show", "--config", own], { env: { SR_LOG_LEVEL: "debug" } });
    assert.deepEqual(parse(out), { logging: { level: "warn" } });
    assert.equal(
      Object.values(origins).find((origin) => /default|environment/.test(origin)),
      undefined,
    );
  });

  test("a variable that cannot be used is told", async () => {
    const { err } = await shown(["--effective"], { OTEL_TRACES_SAMPLER: "sometimes" });
    assert.match(err, /^warning: OTEL_TRACES_SAMPLER must be one of .*\n$/);
  });

  test("--json has what has no effect", async () => {
    const { without_effect } = await asJson([]);
    assert.deepEqual(without_effect, [{ path: "bert_model.use_cpu", line: 3 }]);
  });

  test("an empty file is an empty mapping, and its defaults are all defaults", async () => {
    const empty = join(folder, "empty.yaml");
    writeFileSync(empty, "");
    assert.equal((await ran(["config", "show", "--config", empty])).out, "{}\n");
    const { out } = await ran(["config", "show", "--effective", "--origins", "--json", "--config", empty]);
    const { origins } = JSON.parse(out) as Shown;
    assert.deepEqual([...new Set(Object.values(origins))], ["default"]);
  });

  test("an invalid file is told as check tells it", async () => {
    const bad = join(folder, "bad.yaml");
    writeFileSync(bad, "default_modle: x\n");
    const { status, out, err } = await ran(["config", "show", "--config", bad]);
    assert.deepEqual([status, out], [1, ""]);
    assert.equal(err, `${bad}:1:1 default_modle: unknown key; did you mean "default_model"?\n`);
  });

  for (const name of ["quickstart", "vllm-semantic-router-v0.1", "tracing-only"])
    test(`${name}.yaml, shown in full, means what it meant`, async () => {
      const from = join(repoRoot, "examples/config", `${name}.yaml`);
      const { out } = await ran(["config", "show", "--effective", "--origins", "--config", from]);
      const again = join(folder, `${name}.yaml`);
      writeFileSync(again, out);
      assert.deepEqual(loadConfig(again, {}).config, loadConfig(from, {}).config);
    });
});

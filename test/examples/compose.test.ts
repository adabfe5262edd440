import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { ENVOY_VERSION, ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { composeSchema, ensurePart } from "../../scripts/image/pypi.ts";
import { startChild } from "../../scripts/lib/child.ts";
import { processorArgs } from "../../scripts/lib/processor.ts";
import { parseConfig } from "../../src/config/load.ts";
import { containerMissing, runInContainer, startContainer, theImage } from "../image/container.ts";
import { envoyMissing } from "../support/envoy.ts";
import { freePorts } from "../support/ports.ts";
import { repoRoot, textOf } from "../support/repo.ts";
import { scratchFolder } from "../support/scratch.ts";

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly working_dir?: string;
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: unknown;
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly [key: string]: unknown;
}

const file = "compose.yaml";
/** As compose reads it where no variable is set. */
const text = textOf(file).replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1");
const compose = parse(text, { merge: true }) as { readonly services: Readonly<Record<string, Service>> };
const service = (name: string): Service => compose.services[name]!;
const { version } = JSON.parse(textOf("package.json")) as { version: string };
const configFile = "examples/compose/config.yaml";
const envoyFile = "examples/compose/envoy.yaml";

describe("compose.yaml", () => {
  test("is a compose file", (t) => {
    let schemaFile: string;
    try {
      schemaFile = ensurePart(composeSchema, (line) => process.stderr.write(`${line}\n`));
    } catch (error) {
      if (process.env.CI) throw error;
      process.stderr.write(
        `NOT RUN: compose.yaml was not held against its schema: ${(error as Error).message}\n`,
      );
      return t.skip((error as Error).message);
    }
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    const { $schema: _, ...schema } = JSON.parse(readFileSync(schemaFile, "utf8")) as Record<string, unknown>;
    const validate = ajv.compile(schema);
    assert.ok(validate(compose), ajv.errorsText(validate.errors));
    assert.equal(validate({ services: { a: { imagine: "x" } } }), false, "it can say no");
  });

  for (const [name, one] of Object.entries(compose.services)) {
    test(`${name} can do little`, () => {
      assert.equal(one.read_only, true);
      assert.deepEqual(one.cap_drop, ["ALL"]);
      assert.deepEqual(one.security_opt, ["no-new-privileges:true"]);
      assert.equal(one.restart, "unless-stopped");
      for (const volume of one.volumes ?? []) assert.match(volume, /:ro$/);
      assert.deepEqual(
        (one.ports ?? []).filter((port) => !port.startsWith("127.0.0.1:")),
        [],
      );
    });
  }

  test("its images are those of this version, and those that are tested", () => {
    const expected = {
      router: `semantic-router:${version}`,
      envoy: `envoyproxy/envoy:v${ENVOY_VERSION}`,
      jaeger: (parse(textOf("examples/jaeger/compose.yaml")) as typeof compose).services.jaeger!.image,
      "small-model": `semantic-router:${version}`,
      "large-model": `semantic-router:${version}`,
    };
    assert.deepEqual(
      Object.fromEntries(Object.entries(compose.services).map(([name, { image }]) => [name, image])),
      expected,
    );
  });

  test("the router is asked to end before it is made to, and Envoy waits until it is healthy", () => {
    const { server } = parseConfig(textOf(configFile)).config;
    const grace = Number(/^(\d+)s$/.exec(service("router").stop_grace_period ?? "")?.[1]);
    assert.ok(grace >= server.drain_seconds + 5, `${grace}`);
    assert.deepEqual(service("envoy").depends_on, { router: { condition: "service_healthy" } });
  });

  test("demo models come with the profile only", () => {
    const always = Object.entries(compose.services).filter(([, { profiles }]) => profiles === undefined);
    assert.deepEqual(
      always.map(([name]) => name),
      ["router", "envoy", "jaeger"],
    );
    assert.deepEqual(
      parseConfig(textOf(configFile)).config.vllm_endpoints.map(({ address }) => address),
      Object.keys(compose.services).filter((name) => service(name).profiles?.includes("demo")),
    );
  });

  test("Envoy's configuration is what `envoy render` makes of the router's", () => {
    const words = [
      "envoy",
      "render",
      "--config",
      configFile,
      "--listen",
      "0.0.0.0:8801",
      "--processor",
      "router:50051",
    ];
    const run = spawnSync(process.execPath, processorArgs(...words), { cwd: repoRoot, encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(join(repoRoot, envoyFile), run.stdout);
    assert.equal(run.stdout, textOf(envoyFile));
  });
});

test("the router has nothing to remark on its configuration", () => {
  const args = processorArgs("check", configFile);
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: repoRoot, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(`${stdout}${stderr}`, /warning/i);
});

describe("what compose.yaml starts", { skip: containerMissing || envoyMissing }, () => {
  const { folder, put } = scratchFolder("compose-test");

  test("answers a request, and its trace is at the collector", async () => {
    const [grpc, status, small, large, clients, admin] = (await freePorts(6)) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    await using collector = await startOtlpReceiver();
    // Services have addresses of their own there, and ports of their own here.
    const places: Readonly<Record<string, number>> = {
      "0.0.0.0:50051": grpc,
      "router:50051": grpc,
      "0.0.0.0:9190": status,
      "small-model:8000": small,
      "large-model:8000": large,
      "jaeger:4317": collector.port,
      "0.0.0.0:8801": clients,
      "127.0.0.1:19000": admin,
    };
    // The router is another user, who has to be able to read it.
    chmodSync(folder, 0o755);
    for (const path of [configFile, envoyFile]) put(path.split("/").at(-1)!, moved(textOf(path), places));
    /** Of this machine, by path inside. */
    const mountsOf = (name: string) =>
      Object.fromEntries(
        (service(name).volumes ?? []).map((volume) => {
          const [from = "", to = ""] = volume.split(":");
          return [to, from === "./examples/compose" && name === "router" ? folder : join(repoRoot, from)];
        }),
      );

    const model = (name: string, port: number) =>
      startContainer([], {
        entrypoint: service(name).entrypoint!,
        workdir: service(name).working_dir!,
        mounts: mountsOf(name),
        env: { PORT: String(port) },
      });
    await using first = await model("small-model", small);
    await using second = await model("large-model", large);
    for (const server of [first, second]) await server.logs(": port ");

    await using router = await startContainer([], { mounts: mountsOf("router") });
    await router.logs('"msg":"ready"');
    const healthy = runInContainer(theImage().settings.health, { mounts: mountsOf("router") });
    assert.equal(healthy.status, 0, healthy.stderr);

    const binary = await ensureEnvoy((line) => process.stderr.write(`${line}\n`));
    assert.deepEqual(service("envoy").volumes, ["./examples/compose:/etc/envoy:ro"]);
    const command = service("envoy").command!.map((word) => word.replace("/etc/envoy", folder));
    const envoy = startChild(binary, command, { stdio: ["ignore", "ignore", "inherit"] });
    try {
      const trace = "0af7651916cd43dd8448eb211c80319c";
      const answer = await answered(clients, trace);
      assert.equal(answer.headers.get("x-vsr-selected-model"), "large-model");
      const spans = await collector.waitFor(trace);
      assert.ok(spans.some(({ name }) => name === "semantic_router.upstream.request"));
    } finally {
      await envoy.stop();
    }
    assert.equal(await router.stop(), 0, router.log());
    for (const server of [first, second]) assert.equal(await server.stop(), 0);
  });
});

/** The text with each address and port replaced by a port of this machine; every one must be there. */
function moved(text: string, places: Readonly<Record<string, number>>): string {
  return Object.entries(places).reduce((before, [place, port]) => {
    const [host = "", number = ""] = place.split(":");
    const name = host.replaceAll(".", "\\.");
    return before
      .replaceAll(new RegExp(`\\b${name}:${number}\\b`, "g"), `127.0.0.1:${port}`)
      .replaceAll(
        new RegExp(`(address: )${name}(,?\\s+port(?:_value)?: )${number}\\b`, "g"),
        (_, before: string, between: string) => `${before}127.0.0.1${between}${port}`,
      );
  }, text);
}

/** The first answer with 200: Envoy needs a moment to start and to see that the router is healthy. */
async function answered(port: number, trace: string): Promise<Response> {
  const deadline = Date.now() + 20_000;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: "POST",
        headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
        body: JSON.stringify({
          model: "auto",
          messages: [{ role: "user", content: "What is the derivative of x^3?" }],
        }),
      });
      if (answer.status === 200) return answer;
      last = `${answer.status} ${await answer.text()}`;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no answer: ${last}`);
}

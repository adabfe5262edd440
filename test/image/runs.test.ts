import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { startModelServer } from "../../scripts/demo/model-server.ts";
import { envoyMissing, startEnvoy } from "../support/envoy.ts";
import { freePorts } from "../support/ports.ts";
import { scratchFolder } from "../support/scratch.ts";
import { containerMissing, runInContainer, startContainer, theImage } from "./container.ts";

// The image's files as its steps yield them, in a root directory of their own: read-only, as another user, without rights.

const { put } = scratchFolder("image-test");

const configuration = (port: number, statusPort: number, modelPort: number): string => `
server: { listen: "127.0.0.1:${port}", status_listen: "127.0.0.1:${statusPort}" }
vllm_endpoints: [{ name: small, address: 127.0.0.1, port: ${modelPort} }]
model_config:
  small-model: { preferred_endpoints: [small], pii_policy: { allow_by_default: true } }
default_model: small-model
categories: [{ name: math, model_scores: [{ model: small-model, score: 1, use_reasoning: false }] }]
prompt_guard: { enabled: true }
`;

describe("the image", { skip: containerMissing || envoyMissing }, () => {
  const users = [
    { who: "its own user", user: undefined, id: "65532" },
    { who: "any other user", user: "1000660000:0", id: "1000660000" },
  ];
  for (const { who, user, id } of users) {
    test(`serves Envoy as ${who}, tells its health, and ends with 0 at SIGTERM`, async () => {
      const [port, statusPort] = (await freePorts(2)) as [number, number];
      await using model = await startModelServer({ name: "small" });
      const mounts = {
        "/config/config.yaml": put(`${id}.yaml`, configuration(port, statusPort, model.port)),
      };
      const options = { mounts, ...(user && { user }) };
      const { health, stopSignal } = theImage().settings;
      assert.equal(runInContainer(health, options).status, 1, "not healthy before it runs");

      await using router = await startContainer([], options);
      await router.logs('"msg":"ready"');
      assert.deepEqual(processOf(router.pid), {
        NSpid: "1",
        Uid: id,
        Gid: user === undefined ? "65532" : "0",
        Groups: "",
        CapPrm: "0000000000000000",
        CapEff: "0000000000000000",
        NoNewPrivs: "1",
      });
      const healthy = runInContainer(health, options);
      assert.equal(healthy.status, 0, healthy.stderr);
      assert.equal((await fetch(`http://127.0.0.1:${statusPort}/readyz`)).status, 200);

      await using envoy = await startEnvoy({
        endpoints: [{ name: "small", address: "127.0.0.1", port: model.port }],
        processor: { address: "127.0.0.1", port },
      });
      const answer = await fetch(`http://127.0.0.1:${envoy.port}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify({ model: "auto", messages: [{ role: "user", content: "What is 17 * 23?" }] }),
      });
      assert.equal(answer.status, 200, await answer.clone().text());
      assert.equal(answer.headers.get("x-vsr-selected-category"), "math");
      assert.equal(model.requests.length, 1);
      assert.equal(children(router.pid), "", "it starts no processes, so that process 1 has none to reap");

      assert.equal(await router.stop(stopSignal as NodeJS.Signals), 0, router.log());
      assert.match(router.log(), /"msg":"stopped"/);
    });
  }

  test("can be written to nowhere", () => {
    const write = `
      const { writeFileSync } = require("node:fs");
      for (const path of ["/app/x", "/app/compiled/x", "/tmp/x", "/home/nonroot/x", "/x"])
        try { writeFileSync(path, ""); console.log(path); } catch (error) { if (!/EROFS|EACCES/.test(error.code)) throw error; }
    `;
    const { status, stdout, stderr } = runInContainer(["node", "-e", write]);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: "" }, stderr);
  });

  test("says in one line that it has no configuration", () => {
    const { entrypoint } = theImage().settings;
    const { status, stderr } = runInContainer(entrypoint);
    assert.equal(status, 1);
    assert.match(stderr, /^.*no configuration: give --config FILE or set CONFIG_PATH.*\n$/);
  });

  test("has every command", () => {
    const { entrypoint } = theImage().settings;
    const mounts = { "/config/config.yaml": put("check.yaml", configuration(50051, 9190, 8000)) };
    const checked = runInContainer([...entrypoint, "check", "/config/config.yaml"], { mounts });
    assert.equal(checked.status, 0, checked.stderr);
    const rendered = runInContainer([...entrypoint, "envoy", "render"], { mounts });
    assert.match(rendered.stdout, /cluster: endpoint\/small/, rendered.stderr);
    const classified = runInContainer([...entrypoint, "classify", "What is the derivative of x^2?"]);
    assert.equal((JSON.parse(classified.stdout) as { category: string }).category, "math");
  });

  test("brings what Node.js compiles, which a read-only start and a health check take", async () => {
    const [port, statusPort] = (await freePorts(2)) as [number, number];
    const mounts = { "/config/config.yaml": put("compiled.yaml", configuration(port, statusPort, 8000)) };
    const env = { NODE_DEBUG_NATIVE: "COMPILE_CACHE" };
    await using router = await startContainer([], { mounts, env });
    await router.logs('"msg":"ready"');
    const health = runInContainer(theImage().settings.health, { mounts, env });
    await router.stop();
    for (const [what, said] of [
      ["start", router.log()],
      ["health check", health.stderr],
    ] as const) {
      const files = (how: string) =>
        [...said.matchAll(/V8 code cache for \S+ \S*(\/app\/\S+) was (\w+)/g)]
          .filter(([, , word]) => word === how)
          .map(([, file]) => file);
      assert.ok(files("accepted").length > (what === "start" ? 200 : 5), `${what}: ${said.slice(0, 2_000)}`);
      assert.deepEqual([...files("rejected"), ...files("not")], [], what);
    }
  });
});

const children = (pid: number): string => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();

function processOf(pid: number): Record<string, string> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const names = ["NSpid", "Uid", "Gid", "Groups", "CapPrm", "CapEff", "NoNewPrivs"];
  return Object.fromEntries(
    names.map((name) => {
      const value = new RegExp(`^${name}:[^\\S\\n]*(.*)$`, "m").exec(status)?.[1]?.trim() ?? "";
      // The last of the namespaces' numbers is its own.
      return [name, name === "NSpid" ? value.split(/\s+/).at(-1)! : value.split(/\s+/)[0]!];
    }),
  );
}

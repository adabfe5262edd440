import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { parse } from "yaml";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { envoyMissing } from "../support/envoy.ts";
import { repoRoot, textOf } from "../support/repo.ts";
import { ran } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "envoy-render-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const quickstart = join(repoRoot, "examples/config/quickstart.yaml");

const endpoint = "vllm_endpoints: [{ name: one, address: 10.0.0.1, port: 80 }]\n";

function configOf(listen: string, endpoints = true): string {
  const file = join(folder, "config.yaml");
  const own = endpoints ? endpoint : "";
  writeFileSync(file, `server: { listen: "${listen}" }\n${own}`);
  return file;
}

interface Cluster {
  readonly name: string;
  readonly type: string;
  readonly load_assignment: {
    readonly endpoints: readonly { lb_endpoints: readonly { endpoint: { address: object } }[] }[];
  };
}
interface Bootstrap {
  readonly admin: { readonly address: { readonly socket_address: object } };
  readonly static_resources: {
    readonly listeners: readonly { readonly address: { readonly socket_address: object } }[];
    readonly clusters: readonly Cluster[];
  };
}

async function rendered(...args: readonly string[]): Promise<{ text: string; err: string; it: Bootstrap }> {
  const { status, out, err } = await ran(["envoy", "render", ...args]);
  assert.equal(status, 0, err);
  return { text: out, err, it: parse(out, { version: "1.1" }) as Bootstrap };
}
const processorOf = ({ static_resources: { clusters } }: Bootstrap): object =>
  clusters.find(({ name }) => name === "processor")!.load_assignment.endpoints[0]!.lb_endpoints[0]!.endpoint
    .address;
const socket = (address: string, port_value: number) => ({ socket_address: { address, port_value } });

describe("envoy render", () => {
  test("of the quickstart it is the file that everybody uses", async () => {
    assert.equal((await rendered("--config", quickstart)).text, textOf("envoy/envoy.yaml"));
  });

  test("the addresses are those that are given", async () => {
    const { it } = await rendered(
      ...[
        "--config",
        quickstart,
        "--listen",
        "0.0.0.0:80",
        "--admin",
        "[::1]:81",
        "--processor",
        "router:82",
      ],
    );
    assert.deepEqual(it.static_resources.listeners[0]!.address, socket("0.0.0.0", 80));
    assert.deepEqual(it.admin.address, socket("::1", 81));
    assert.deepEqual(processorOf(it), socket("router", 82));
  });

  const listening: readonly (readonly [listen: string, reached: object])[] = [
    ["127.0.0.1:6000", socket("127.0.0.1", 6000)],
    ["0.0.0.0:6000", socket("127.0.0.1", 6000)],
    ["[::]:6000", socket("::1", 6000)],
    ["unix:/run/router.sock", { pipe: { path: "/run/router.sock" } }],
    ["unix:///run/router.sock", { pipe: { path: "/run/router.sock" } }],
  ];
  for (const [listen, reached] of listening)
    test(`a processor at ${listen} is reached there`, async () => {
      assert.deepEqual(processorOf((await rendered("--config", configOf(listen))).it), reached);
    });

  test("endpoints are those of the configuration; none is told", async () => {
    const names = ({ static_resources }: Bootstrap) => static_resources.clusters.map(({ name }) => name);
    const one = await rendered("--config", configOf("127.0.0.1:1"));
    assert.deepEqual([names(one.it).includes("endpoint/one"), one.err], [true, ""]);
    const none = await rendered("--config", configOf("127.0.0.1:1", false));
    assert.ok(!names(none.it).some((name) => name.startsWith("endpoint/")));
    assert.match(none.err, /^warning: \S+config\.yaml has no vllm_endpoints: .*503 no_endpoint\n$/);
  });

  test("routes are chosen by what routing.endpoint_header says", async () => {
    const file = join(folder, "by-address.yaml");
    writeFileSync(file, `routing: { endpoint_header: address }\n${endpoint}`);
    assert.match((await rendered("--config", file)).text, /string_match: \{ exact: "?10\.0\.0\.1:80"? \}/);
  });

  const wrong: readonly (readonly [args: readonly string[], status: number, says: RegExp])[] = [
    [["--listen", "unix:/x"], 2, /--listen must be host:port, not "unix:\/x"/],
    [["--admin", "19000"], 2, /--admin must be host:port, not "19000"/],
    [["--processor", "router"], 2, /--processor must be host:port or unix:\/path, not "router"/],
    [["--processor", "router:0"], 2, /--processor needs a port above 0/],
    [["--config", "/nowhere.yaml"], 1, /^cannot read \/nowhere\.yaml/],
  ];
  for (const [args, status, says] of wrong)
    test(`${args.join(" ")} is told`, async () => {
      const config = args.includes("--config") ? [] : ["--config", quickstart];
      const found = await ran(["envoy", "render", ...config, ...args]);
      assert.deepEqual([found.status, found.out], [status, ""]);
      assert.match(found.err, says);
    });

  test("a server.listen without a port of its own needs --processor", async () => {
    const { status, err } = await ran(["envoy", "render", "--config", configOf("127.0.0.1:0")]);
    assert.equal(status, 1);
    assert.match(err, /server\.listen is 127\.0\.0\.1:0, .*: give --processor/);
  });
});

describe("a real Envoy takes it", { skip: envoyMissing }, () => {
  const rows: readonly (readonly [name: string, args: readonly string[]])[] = [
    ["quickstart.yaml", []],
    ["a Unix socket", ["--processor", "unix:/tmp/router.sock"]],
    [
      "addresses.yaml",
      ["--listen", "0.0.0.0:8080", "--admin", "127.0.0.1:9901", "--processor", "router:50051"],
    ],
    ["the v0.1 example", ["--config", join(repoRoot, "examples/config/vllm-semantic-router-v0.1.yaml")]],
  ];
  for (const [name, args] of rows)
    for (const form of ["yaml", "json"])
      test(`${name}, as ${form}`, async () => {
        const config = args.includes("--config") ? [] : ["--config", quickstart];
        const { text } = await rendered(...config, ...args, ...(form === "json" ? ["--json"] : []));
        const file = join(folder, `envoy.${form}`);
        writeFileSync(file, text);
        const envoy = await ensureEnvoy((line) => process.stderr.write(`${line}\n`));
        const { status, stderr } = spawnSync(envoy, ["--mode", "validate", "-c", file], { encoding: "utf8" });
        assert.equal(status, 0, stderr.slice(-2_000));
      });
});

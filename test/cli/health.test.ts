// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file, or of a shell, is what is tested
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { healthService } from "../../src/extproc/health.ts";
import { startProduct } from "../support/product.ts";
import { ran } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "health-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const configOf = (text: string): string => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, text);
  return file;
};

/** The processor's own health service, at an address of its own. */
async function served(
  listen: string,
): Promise<AsyncDisposable & { port: number; set: (status: "SERVING") => void }> {
  const server = new Server();
  const health = healthService();
  server.addService(health.definition, health.implementation);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    port,
    set: (status) => health.set(status),
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

/** A server that is none of ours. */
async function listening(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe("health", () => {
  test("a processor that serves is healthy, and one that has stopped is not", async () => {
    const product = await startProduct("observability: { tracing: { enabled: false } }");
    const at = `127.0.0.1:${product.port}`;
    assert.deepEqual(await ran(["health", "--listen", at]), { status: 0, out: "SERVING\n", err: "" });
    const { status, out } = await ran(["health", "--listen", at, "--json"]);
    assert.deepEqual([status, JSON.parse(out)], [0, { address: at, status: "SERVING" }]);
    await product.stop();
    const gone = await ran(["health", "--listen", at]);
    assert.deepEqual(gone, { status: 1, out: "", err: `semantic-router health: ${at}: ECONNREFUSED\n` });
    const json = JSON.parse((await ran(["health", "--listen", at, "--json"])).out) as object;
    assert.deepEqual(json, { address: at, status: null, error: "ECONNREFUSED" });
  });

  test("one that is stopping is not healthy", async () => {
    await using server = await served("127.0.0.1:0");
    const at = `127.0.0.1:${server.port}`;
    const { status, err } = await ran(["health", "--listen", at]);
    assert.deepEqual([status, err], [1, `semantic-router health: ${at}: NOT_SERVING\n`]);
    server.set("SERVING");
    assert.equal((await ran(["health", "--listen", at])).status, 0);
  });

  test("the address is the configuration's: all addresses mean this machine, a socket is a socket", async () => {
    await using everywhere = await served("0.0.0.0:0");
    everywhere.set("SERVING");
    const socket = join(folder, "router.sock");
    await using local = await served(`unix:${socket}`);
    local.set("SERVING");
    for (const listen of [`0.0.0.0:${everywhere.port}`, `unix:${socket}`, `unix://${socket}`]) {
      const { status, out } = await ran([
        "health",
        "--json",
        "--config",
        configOf(`server: { listen: "${listen}" }\n`),
      ]);
      assert.deepEqual([status, JSON.parse(out)], [0, { address: listen, status: "SERVING" }]);
    }
    const env = { PORT: String(everywhere.port) };
    const file = configOf('server: { listen: "127.0.0.1:${PORT}" }\n');
    assert.equal((await ran(["health", "--config", file], { env })).status, 0);
  });

  test("a file that has been spoilt since the start does not make its processor ill", async () => {
    await using server = await served("127.0.0.1:0");
    server.set("SERVING");
    const file = configOf(`server: { listen: "127.0.0.1:${server.port}" }\ndefault_modle: x\n`);
    assert.equal((await ran(["health", "--config", file])).status, 0);
  });

  const broken: readonly (readonly [name: string, text: (at: string) => string])[] = [
    ["behind the address", (at) => `server: { listen: "${at}" }\na: [1\nb: {`],
    ["by a bracket before it", (at) => `a: {b: 1\nserver:\n  listen: ${at}\n`],
    ["before it", (at) => `a: "x\n  y" z\nserver:\n  listen: ${at}\n`],
    ["in the same section", (at) => `server:\n  listen: ${at}\n  drain_seconds: [5\n`],
    ["in a variable elsewhere", (at) => `server: { listen: "${at}" }\ndefault_model: \${NOT_SET}\n`],
    ["by a key that is there twice", (at) => `server: { listen: "${at}" }\na: 1\na: 2\n`],
    ["with a variable", (at) => `server: { listen: "${at.replace(/\d+$/, "${PORT}")}" }\na: [1\n`],
  ];
  for (const [name, text] of broken)
    test(`nor one that is no YAML any more: ${name}`, async () => {
      await using server = await served("127.0.0.1:0");
      server.set("SERVING");
      const at = `127.0.0.1:${server.port}`;
      const env = { PORT: String(server.port) };
      const { status, out, err } = await ran(["health", "--json", "--config", configOf(text(at))], { env });
      assert.deepEqual([status, err], [0, ""]);
      assert.deepEqual(JSON.parse(out), { address: at, status: "SERVING" });
    });

  describe("where the address cannot be known, no other is asked", () => {
    const lost: readonly (readonly [name: string, text: string, why: string])[] = [
      ["the break hides it", 'a: "b\nserver:\n  listen: h:1\n', "is damaged, and names no server.listen"],
      ["it is cut off in the middle", 'server:\n  listen: "127.0.0.1:50', "is damaged, and names no"],
      ["or so", "server: { listen: 127.0.0.1:50", "is damaged, and names no"],
      ["it is there twice", "server: { listen: 'h:1', listen: 'h:2' }\n", "is damaged, and names no"],
      ["it is not there", "a: [1\n", "is damaged, and names no server.listen"],
      ["a second section hides it", "server: { listen: 'h:1' }\nserver: {}\n", "is damaged, and names no"],
      [
        "its variable is not set",
        "server: { listen: '${NOT_SET}' }\n",
        "server.listen: the variable NOT_SET",
      ],
      [
        "nor in a broken file",
        "server: { listen: '${NOT_SET}' }\na: [",
        "server.listen: the variable NOT_SET",
      ],
      ["nor behind an alias", "x: &at ${NOT_SET}\nserver: { listen: *at }\n", "is damaged, and names no"],
      ["the section is none", "server: 50051\n", "is damaged: mappings are wanted"],
      ["the file is none", "50051\n", "is damaged: mappings are wanted"],
    ];
    for (const [name, text, why] of lost)
      test(name, async () => {
        const file = configOf(text);
        const { status, out, err } = await ran(["health", "--config", file]);
        assert.deepEqual([status, out], [1, ""]);
        assert.ok(err.startsWith("semantic-router health: the address to ask is unknown: "), err);
        assert.ok(err.includes(file) && err.includes(why), err);
        assert.ok(err.endsWith("; --listen ADDR names it\n") && err.split("\n").length === 2, err);
      });
    const unreadable = [
      ["/nowhere.yaml", "cannot read /nowhere.yaml: no such file"],
      [folder, `cannot read ${folder}: it is a directory`],
    ] as const;
    const start = "semantic-router health: the address to ask is unknown: ";
    for (const [file, why] of unreadable)
      test(why.replace(folder, "FOLDER"), async () => {
        const { status, out, err } = await ran(["health", "--config", file]);
        assert.deepEqual([status, out, err], [1, "", `${start}${why}; --listen ADDR names it\n`]);
      });
    test("there is no configuration", async () => {
      const { status, err } = await ran(["health"]);
      assert.equal(status, 1);
      assert.ok(err.startsWith(`${start}no configuration: give --config FILE`), err);
    });
  });

  test("without server.listen it is the default address", async () => {
    const { out } = await ran(["health", "--json", "--config", configOf("default_model: x\n")]);
    assert.equal((JSON.parse(out) as { address: string }).address, "127.0.0.1:50051");
  });

  test("what answers otherwise, or not at all, is not healthy", async () => {
    const http = createHttp((_request, response) => response.end("hello"));
    const silent = createServer(() => {});
    const rows: readonly (readonly [port: number, says: RegExp])[] = [
      [await listening(http), /: .+\n$/],
      [await listening(silent), /: no answer within 2 s\n$/],
    ];
    for (const [port, says] of rows) {
      const { status, err } = await ran(["health", "--listen", `127.0.0.1:${port}`]);
      assert.equal(status, 1);
      assert.match(err, says);
    }
    const server = new Server();
    const port = await new Promise<number>((resolve) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
    );
    const { status, err } = await ran(["health", "--listen", `127.0.0.1:${port}`]);
    server.forceShutdown();
    assert.equal(status, 1);
    assert.match(err, /no gRPC health service \(grpc-status 12\)/);
  });

  const wrong: readonly (readonly [args: readonly string[], status: number, says: RegExp])[] = [
    [["--listen", "50051"], 2, /--listen must be host:port or unix:\/path, not "50051"/],
  ];
  for (const [args, status, says] of wrong)
    test(`${args.join(" ")} is told`, async () => {
      const found = await ran(["health", ...args]);
      assert.equal(found.status, status);
      assert.match(found.err, says);
    });
  test("a server.listen that is no address is told", async () => {
    const { status, err } = await ran(["health", "--config", configOf("server: { listen: nothing }\n")]);
    assert.equal(status, 1);
    assert.match(err, /server\.listen must be host:port or unix:\/path, not "nothing"; give --listen/);
  });
});

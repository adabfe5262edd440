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
    [["--config", "/nowhere.yaml"], 1, /nowhere\.yaml/],
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

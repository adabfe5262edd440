import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serveHttp } from "../../src/admin/http.ts";
import { type Standing, status } from "../../src/admin/status.ts";
import { openStream, sends } from "../support/ext-proc.ts";
import { startProduct } from "../support/product.ts";

// Both HTTP servers of the processor, as probes and operators use them.

const token = "a-token-of-the-operator";
const yaml = (more: object = {}) =>
  JSON.stringify({
    server: { status_listen: "127.0.0.1:0" },
    admin: { listen: "127.0.0.1:0", token: `\${ADMIN_TOKEN}` },
    ...more,
  });

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}
async function call(port: number, path: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  const text = await response.text();
  return {
    status: response.status,
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
    headers: response.headers,
  };
}
const post = (port: number, authorization?: string) =>
  call(port, "/reload", {
    method: "POST",
    ...(authorization !== undefined && { headers: { authorization } }),
  });

describe("the status server", () => {
  test("ready once models are loaded and the port serves; not from the first moment of a shutdown on", async () => {
    await using product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    const port = product.statusPort!;
    assert.deepEqual((await call(port, "/readyz")).body, { status: "ready", reasons: [], generation: 1 });
    for (const path of ["/livez", "/healthz"])
      assert.deepEqual(await call(port, path).then(({ status, body }) => [status, body]), [
        200,
        { status: "live" },
      ]);
    assert.equal((await call(port, "/readyz", { method: "HEAD" })).status, 200);

    const stream = openStream(product.port);
    stream.on("error", () => {});
    const answered = new Promise((resolve) => stream.once("data", resolve));
    stream.write(sends.requestHeaders({ ":path": "/other" }));
    await answered;
    process.kill(product.pid, "SIGTERM");
    await product.logs('"msg":"stopping"');
    const stopping = await call(port, "/readyz");
    assert.deepEqual([stopping.status, stopping.body.status], [503, "stopping"]);
    assert.equal((await call(port, "/livez")).status, 200, "it is alive until its exchanges have ended");
    stream.end();
    await product.logs('"msg":"stopped"');
  });

  test("tells that it starts while models are being loaded", async () => {
    let standing: Standing = { status: "starting", reasons: ["the models are being loaded"] };
    const server = await serveHttp(
      "127.0.0.1:0",
      "server.status_listen",
      status(() => standing),
    );
    assert.deepEqual(await call(server.port, "/readyz?verbose").then(({ status, body }) => [status, body]), [
      503,
      standing,
    ]);
    assert.equal((await call(server.port, "/livez")).status, 200);
    standing = { status: "ready", reasons: ["no encoding thread serves at the moment"], generation: 1 };
    assert.equal((await call(server.port, "/readyz")).status, 503);
    standing = { status: "ready", reasons: [], generation: 1 };
    assert.equal((await call(server.port, "/readyz")).status, 200);
    await server.close();
  });

  test("reads only, and says which paths there are", async () => {
    await using product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    const wrong = await call(product.statusPort!, "/readyz", { method: "POST" });
    assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET"]);
    const unknown = await call(product.statusPort!, "/reload");
    assert.deepEqual([unknown.status, unknown.body.paths], [404, ["/livez", "/readyz"]]);
  });

  test("listens before the models are loaded, and a port that is taken ends the start with its key", async () => {
    await using first = await startProduct(yaml(), { ADMIN_TOKEN: token });
    for (const [key, taken] of [
      ["server.status_listen", { server: { status_listen: `127.0.0.1:${first.statusPort}` } }],
      ["admin.listen", { admin: { listen: `127.0.0.1:${first.adminPort}` } }],
    ] as const)
      await assert.rejects(
        startProduct(yaml(taken), { ADMIN_TOKEN: token }),
        (error: Error) => error.message.includes("EADDRINUSE") && error.message.includes(`set ${key} to`),
      );
  });

  test("is reached in spite of peers that hold connections and say nothing", async () => {
    await using product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    const silent = Array.from({ length: 300 }, () => connect(product.statusPort!, "127.0.0.1"));
    for (const one of silent) one.on("error", () => {}).resume();
    const gone = silent.map((one) => new Promise((resolve) => one.once("close", resolve)));
    await Promise.all(gone);
    assert.equal((await call(product.statusPort!, "/livez")).status, 200);
  });

  test("a peer that says nothing holds nobody up, and the process ends in spite of it", async () => {
    const product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    const silent = connect(product.statusPort!, "127.0.0.1");
    silent.on("error", () => {});
    silent.write("GET /livez HTTP/1.1\r\n");
    await sleep(50);
    assert.equal((await call(product.statusPort!, "/livez")).status, 200);
    await product.stop();
    assert.match(product.log(), /"msg":"stopped"/);
    silent.destroy();
  });
});

describe("POST /reload", () => {
  test("is taken with the token only, and answers how it went", async () => {
    await using product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    const port = product.adminPort!;
    assert.deepEqual((await call(port, "/reload")).body, { last: null });
    for (const authorization of [undefined, "", "Bearer ", "Bearer wrong", `Basic ${token}`, token]) {
      const { status, headers } = await post(port, authorization);
      assert.deepEqual([status, headers.get("www-authenticate")], [401, "Bearer"], String(authorization));
    }
    assert.deepEqual((await call(port, "/reload")).body, { last: null }, "nothing was reloaded");
    const { status, body } = await post(port, `Bearer ${token}`);
    assert.equal(status, 200);
    assert.deepEqual([body.applied, body.generation, body.by], [true, 2, "admin"]);
    assert.deepEqual((await call(port, "/reload")).body, { last: body });
    assert.equal(product.log().includes(token), false, "no log shows the token");
  });

  test("asked for many times at once, is done once more for all who came while one was under way", async () => {
    await using product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    const all = await Promise.all(
      Array.from({ length: 20 }, () => post(product.adminPort!, `Bearer ${token}`)),
    );
    assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
    const { last } = (await call(product.adminPort!, "/reload")).body as { last: { generation: number } };
    assert.ok(last.generation < 10, `${last.generation - 1} reloads for 20 calls`);
  });

  test("of a file that is wrong answers everything that is wrong with it, and changes nothing", async () => {
    await using product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    writeFileSync(product.file, yaml({ limits: { max_json_dept: 1 }, semantic_cache: { max_entries: -1 } }));
    const { status, body } = await post(product.adminPort!, `Bearer ${token}`);
    assert.equal(status, 422);
    assert.deepEqual([body.applied, body.generation], [false, 1]);
    const problems = body.problems as { path: string; line: number }[];
    assert.deepEqual(
      problems.map(({ path, line }) => [path, line]),
      [
        ["limits.max_json_dept", 1],
        ["semantic_cache.max_entries", 1],
      ],
    );
    assert.equal((await call(product.statusPort!, "/readyz")).status, 200);
    // Who follows the file need not say it again.
    await sleep(1500);
    assert.equal(product.log().split("configuration not reloaded").length, 2);
  });

  test("without a token in the configuration is refused; with one from a reload, taken", async () => {
    await using product = await startProduct(yaml({ admin: { listen: "127.0.0.1:0" } }));
    const { status, body } = await post(product.adminPort!, "Bearer undefined");
    assert.equal(status, 403);
    assert.match(String(body.error), /admin\.token/);
    writeFileSync(product.file, yaml({ admin: { listen: "127.0.0.1:0", token: "later" } }));
    await product.logs("configuration reloaded");
    assert.equal((await post(product.adminPort!, "Bearer later")).status, 200);
  });

  test("is of no use to a page of another origin, whose browser sends no token", async () => {
    await using product = await startProduct(yaml(), { ADMIN_TOKEN: token });
    const status = await new Promise((resolve, reject) => {
      request(
        {
          port: product.adminPort,
          path: "/reload",
          method: "POST",
          headers: { origin: "http://elsewhere.test" },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .on("error", reject)
        .end();
    });
    assert.equal(status, 401);
  });
});

test("neither is there unless it is asked for", async () => {
  await using product = await startProduct("{}");
  assert.deepEqual([product.statusPort, product.adminPort], [undefined, undefined]);
});

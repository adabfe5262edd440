import assert from "node:assert/strict";
import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Document, YAMLSeq } from "yaml";
import { clusterName, ENVOY_PATHS } from "../../src/envoy/render.ts";
import { envoyMissing, startEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/ports.ts";

/** What Envoy does by itself, before and without a processor. */
describe("the Envoy configuration", { skip: envoyMissing }, () => {
  let seen: { url: string; headers: IncomingHttpHeaders }[] = [];
  const upstream = createServer((request, response) => {
    seen.push({ url: request.url ?? "", headers: request.headers });
    setTimeout(() => response.end("from upstream"), 20);
  });
  let closed: TestEnvoy;
  let open: TestEnvoy;

  before(async () => {
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const { port } = upstream.address() as AddressInfo;
    const shared = {
      endpoints: [
        { name: "live", address: "127.0.0.1", port },
        { name: "dead", address: "127.0.0.1", port: await freePort() },
      ],
      processor: { address: "127.0.0.1", port: await freePort() },
      waitForProcessor: false,
    };
    [closed, open] = await Promise.all([
      startEnvoy(shared),
      startEnvoy({ ...shared, edits: withoutProcessor }),
    ]);
  });
  after(async () => {
    await Promise.all([closed?.stop(), open?.stop()]);
    upstream.close().closeAllConnections();
  });

  /** Drops ext_proc, and adds paths that lead to an endpoint without any header. */
  function withoutProcessor(doc: Document): void {
    doc.deleteIn(ENVOY_PATHS.extProc.slice(0, -1));
    const routes = doc.getIn(ENVOY_PATHS.routes, true) as YAMLSeq;
    for (const name of ["live", "dead"]) {
      const route = { match: { prefix: `/${name}/` }, route: { cluster: clusterName(name), timeout: "0s" } };
      routes.items.unshift(doc.createNode(route));
    }
  }

  /** fetch would tidy the path up before it is sent. */
  function get(
    port: number,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
    seen = [];
    return new Promise((resolve, reject) => {
      const call = httpRequest({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      call.on("error", reject).end();
    });
  }
  const codeOf = (text: string): string => (JSON.parse(text) as { error: { code: string } }).error.code;

  test("without a processor every request is refused, in the words of the API", async () => {
    const { status, headers, text } = await get(closed.port, "/v1/models", {
      "x-vsr-destination-endpoint": "live",
    });
    assert.equal(status, 503);
    assert.equal(codeOf(text), "router_unavailable");
    assert.match(headers["content-type"] ?? "", /^application\/json/);
    assert.equal(seen.length, 0);
  });

  for (const header of ["x-vsr-destination-endpoint", "X-VSR-Destination-Endpoint"]) {
    test(`a client's ${header} chooses nothing`, async () => {
      const { status, headers, text } = await get(open.port, "/v1/models", { [header]: "live" });
      assert.equal(status, 503);
      assert.equal(codeOf(text), "no_endpoint");
      assert.match(headers["content-type"] ?? "", /^application\/json/);
      assert.equal(seen.length, 0);
    });
  }

  test("no client header of the router or of Envoy gets through; the others do", async () => {
    const forged = {
      "x-vsr-anything": "1",
      "x-selected-model": "m",
      "x-envoy-upstream-rq-timeout-ms": "1",
      "x-envoy-max-retries": "9",
      "x-envoy-retry-on": "5xx",
    };
    const { status, text } = await get(open.port, "/live/x", { ...forged, "x-mine": "kept" });
    assert.equal(status, 200, "the client's timeout of 1 ms must not hold");
    assert.equal(text, "from upstream");
    const arrived = seen[0]?.headers ?? {};
    for (const name of Object.keys(forged)) assert.equal(arrived[name], undefined, name);
    assert.equal(arrived["x-mine"], "kept");
  });

  const paths = [
    { path: "/live//a/./b", arrives: "/live/a/b" },
    { path: "/other/../live/a", arrives: "/live/a" },
    { path: "/live/a?x=%2F..", arrives: "/live/a?x=%2F.." },
  ];
  for (const { path, arrives } of paths) {
    test(`${path} is judged and sent as ${arrives}`, async () => {
      await get(open.port, path);
      assert.equal(seen[0]?.url, arrives);
    });
  }

  test("an escaped slash is redirected to what it means", async () => {
    const { status, headers } = await get(open.port, "/live%2Fa");
    assert.deepEqual([status, headers.location], [307, "/live/a"]);
    assert.equal(seen.length, 0);
  });

  test("a dead endpoint is a JSON error that tells no inner details", async () => {
    const { status, text } = await get(open.port, "/dead/x");
    assert.equal(status, 503);
    assert.equal(codeOf(text), "endpoint_unavailable");
    assert.doesNotMatch(text, /connect|refused|127\.0/i);
  });

  test("the client's request id is kept, else one is made; both come back and are logged", async () => {
    const id = "12345678-1234-4234-8234-123456789abc";
    const kept = await get(open.port, "/live/x?key=secret", { "x-request-id": id });
    assert.equal(kept.headers["x-request-id"], id);
    assert.equal(seen[0]?.headers["x-request-id"], id);
    const entry = await open.logged((line) => line.request_id === id);
    assert.deepEqual([entry.path, entry.status, entry.details], ["/live/x", 200, "via_upstream"]);
    const made = await get(open.port, "/live/x");
    assert.match(String(made.headers["x-request-id"]), /^[0-9a-f-]{36}$/);
    assert.equal(made.headers["x-request-id"], seen[0]?.headers["x-request-id"]);
  });

  test("stats are read as numbers", async () => {
    const stats = await open.stats("^cluster\\.endpoint/live\\.membership_total$");
    assert.deepEqual([...stats], [["cluster.endpoint/live.membership_total", 1]]);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { ReceivedSpan } from "../../scripts/demo/otlp-receiver.ts";
import { findTraces, readSearch } from "../support/trace-search.ts";
import { type ExchangeName, type RouterUnderTest, SERVICE, type Sent, startRouter } from "./exchanges.ts";
import { checkFound, searchFor } from "./expected.ts";
import { searchesOf } from "./guide.ts";
import { partsMissing, type RunningJaeger, startJaeger } from "./servers.ts";

/** Whether this Jaeger's memory storage finds `error=true`. Its Go module's 1.76 is 2.13. */
function memoryFindsErrors(): boolean {
  const { stdout } = spawnSync(process.env.JAEGER_BIN!, ["version"], { encoding: "utf8" });
  const [, major, minor] = /"gitVersion":"v(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) === 2 && Number(minor) >= 17;
}

for (const storage of ["memory", "badger"] as const) {
  const scope = storage === "memory" ? "span" : "trace";
  describe(`the guide's searches in a real Jaeger with ${storage} storage`, { skip: partsMissing }, () => {
    let jaeger: RunningJaeger;
    let router: RouterUnderTest;
    let sent: Map<ExchangeName, Sent>;
    let spans: ReceivedSpan[];
    before(async () => {
      jaeger = await startJaeger(storage);
      router = await startRouter({ endpoint: `127.0.0.1:${jaeger.otlpGrpcPort}`, insecure: true });
      sent = await router.sendAll();
      spans = (await Promise.all([...sent.values()].map(({ traceId }) => jaeger.waitFor(traceId)))).flat();
    });
    after(async () => {
      await router?.[Symbol.asyncDispose]();
      await jaeger?.[Symbol.asyncDispose]();
    });

    for (const search of searchesOf()) {
      test(search.task, async () => {
        const api = searchFor(search.api, sent);
        const found = await jaeger.search(api);
        const asksForErrors = "error" in readSearch(api).tags;
        if (storage === "memory" && asksForErrors && !memoryFindsErrors()) {
          assert.equal(found.size, 0, "this Jaeger finds what the guide says it does not");
          return;
        }
        checkFound(search.task, found, sent, spans, scope);
        // What npm test takes for Jaeger finds the same.
        assert.deepEqual([...findTraces(spans, readSearch(api), scope)].sort(), [...found].sort());
      });
    }

    test("what was blocked for personal data is found by pii.detected too", async () => {
      const ids = await jaeger.search(`/api/traces?service=${SERVICE}&tags={"pii.detected":"true"}`);
      assert.deepEqual([...ids], [sent.get("PII block")!.traceId]);
    });

    test("the service and its spans are offered to choose from", async () => {
      const found = await jaeger.search(`/api/traces?service=${SERVICE}`);
      assert.equal(found.size, sent.size);
      assert.equal((await jaeger.search("/api/traces?service=nobody")).size, 0);
    });

    test("each trace opens by its id: one root, and every other span its child", async () => {
      for (const [name, { traceId }] of sent) {
        const trace = await jaeger.trace(traceId);
        const roots = trace.filter(({ name }) => name === "semantic_router.request.received");
        assert.equal(roots.length, 1, name);
        for (const span of trace)
          assert.ok(span === roots[0] || span.parentSpanId === roots[0]!.spanId, `${name}: ${span.name}`);
      }
    });
  });
}

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { type ExchangeName, type RouterUnderTest, type Sent, startRouter } from "../neighbours/exchanges.ts";
import { checkFound, searchFor, tasks } from "../neighbours/expected.ts";
import { searchesOf } from "../neighbours/guide.ts";
import { envoyMissing } from "../support/envoy.ts";
import { findByTraceQl, findTraces, readSearch } from "../support/trace-search.ts";

describe("each search of the tracing guide finds the exchanges it is for, and no other", {
  skip: envoyMissing,
}, () => {
  let receiver: OtlpReceiver;
  let router: RouterUnderTest;
  let sent: Map<ExchangeName, Sent>;
  let spans: ReceivedSpan[];

  before(async () => {
    receiver = await startOtlpReceiver();
    router = await startRouter({ endpoint: `127.0.0.1:${receiver.port}`, insecure: true });
    sent = await router.sendAll();
    const traces = await Promise.all([...sent.values()].map(({ traceId }) => receiver.waitFor(traceId)));
    spans = traces.flat();
  });
  after(async () => {
    await router?.[Symbol.asyncDispose]();
    await receiver?.stop();
  });

  test("every task has its search", () => {
    assert.deepEqual(
      searchesOf().map(({ task }) => task),
      tasks,
    );
  });
  for (const search of searchesOf()) {
    test(`${search.task}, in Jaeger`, () => {
      const found = findTraces(spans, readSearch(searchFor(search.api, sent)));
      checkFound(search.task, found, sent, spans);
    });
    test(`${search.task}, in Tempo`, () => {
      checkFound(search.task, findByTraceQl(spans, searchFor(search.traceQl, sent)), sent, spans);
    });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { bothProtocols, certificate, exporterTo, exportSpans, protocols } from "./collectors.ts";

for (const protocol of bothProtocols) {
  const { collector: start, url } = protocols[protocol];

  test(`${protocol}: a certificate for other names is told with its names and what to change`, async () => {
    await using collector = await start(undefined, { tls: {} });
    // Leads to this machine too, and no certificate is made for it.
    const elsewhere = url(collector.port, "https").replace("127.0.0.1", "0.0.0.0");
    const tls = { caFile: certificate("ca.pem") };
    await using exporter = exporterTo(elsewhere, { tls, retry: { maxAttempts: 1 } });
    const { failed, reason, message = "" } = await exportSpans(exporter, 2);
    assert.deepEqual([failed, reason], [2, "unavailable"]);
    assert.match(message, /0\.0\.0\.0 is not in the cert's list: .*127\.0\.0\.1/);
    assert.match(message, /the certificate is for other names: write one of them in the endpoint/);
  });
}

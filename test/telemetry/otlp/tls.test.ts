import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createServer } from "node:tls";
import { bothProtocols, certificate, exporterTo, exportSpans, listen, protocols } from "./collectors.ts";

const caFile = certificate("ca.pem");
const client = { certFile: certificate("client.pem"), keyFile: certificate("client-key.pem") };

const folder = mkdtempSync(join(tmpdir(), "otlp-tls-"));
after(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const bad = (label: string): string =>
  write(`${label}.pem`, `-----BEGIN ${label}-----\nxx\n-----END ${label}-----\n`);
const locked = (): string => {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return write("locked.pem", privateKey);
};

for (const protocol of bothProtocols) {
  describe(protocol, () => {
    const { collector: start, url } = protocols[protocol];
    const toTls = (port: number) => url(port, "https");

    test("an authority of one's own", async () => {
      await using collector = await start(undefined, { tls: {} });
      await using exporter = exporterTo(toTls(collector.port), { tls: { caFile } });
      assert.deepEqual(await exportSpans(exporter, 2), { exported: 2, failed: 0 });
    });

    test("a name instead of an address", async () => {
      await using collector = await start(undefined, { tls: {} });
      const named = toTls(collector.port).replace("127.0.0.1", "localhost");
      await using exporter = exporterTo(named, { tls: { caFile } });
      assert.deepEqual(await exportSpans(exporter, 2), { exported: 2, failed: 0 });
    });

    const untrusted: readonly [string, { caFile?: string }][] = [
      ["the system's roots do not know", {}],
      ["another authority has not signed", { caFile: certificate("other-ca.pem") }],
    ];
    for (const [name, tls] of untrusted) {
      test(`a certificate that ${name} is refused`, async () => {
        await using collector = await start(undefined, { tls: {} });
        await using exporter = exporterTo(toTls(collector.port), { tls });
        const { failed, reason, message } = await exportSpans(exporter, 2);
        assert.deepEqual([failed, reason], [2, "unavailable"], message);
        assert.match(
          message ?? "",
          /certificate in certificate chain; name the authority .* in tls\.ca_file/,
        );
        assert.equal(collector.seen.length, 0);
      });
    }

    test("both sides show certificates", async () => {
      await using collector = await start(undefined, { tls: { mutual: true } });
      await using exporter = exporterTo(toTls(collector.port), { tls: { caFile, ...client } });
      assert.deepEqual(await exportSpans(exporter, 2), { exported: 2, failed: 0 });
    });

    test("a collector that asks for a certificate gets none", async () => {
      await using collector = await start(undefined, { tls: { mutual: true } });
      await using exporter = exporterTo(toTls(collector.port), { tls: { caFile } });
      const { failed, reason, message } = await exportSpans(exporter, 2);
      assert.deepEqual([failed, reason], [2, "unavailable"], message);
      assert.match(message ?? "", /asks for a client certificate .*tls\.cert_file/);
    });

    const unreadable: readonly [string, object, RegExp][] = [
      ["absent", { caFile: "/no/such/ca.pem" }, /tls\.ca_file: cannot read \/no\/such\/ca\.pem \(ENOENT\)/],
      [
        "no certificate",
        { caFile: join(import.meta.dirname, "collectors.ts") },
        /tls\.ca_file: .*collectors\.ts holds no PEM block/,
      ],
      ["absent key", { ...client, keyFile: "/no/key" }, /tls\.key_file: cannot read \/no\/key/],
      [
        "a certificate that is none",
        { caFile: bad("CERTIFICATE") },
        /tls\.ca_file: .*CERTIFICATE\.pem holds no certificate that can be read/,
      ],
      [
        "a certificate of ours that is none",
        { ...client, certFile: bad("CERTIFICATE") },
        /tls\.cert_file: .*CERTIFICATE\.pem holds no certificate that can be read/,
      ],
      [
        "a chain with a certificate that is none",
        {
          ...client,
          certFile: write(
            "chain.pem",
            readFileSync(client.certFile, "utf8") + readFileSync(bad("CERTIFICATE"), "utf8"),
          ),
        },
        /tls\.cert_file: .*chain\.pem cannot be used \(.*bad base64 decode\)/,
      ],
      [
        "a key that is none",
        { ...client, keyFile: bad("PRIVATE KEY") },
        /tls\.key_file: .*PRIVATE KEY\.pem holds no key that can be read/,
      ],
      [
        "an encrypted key",
        { ...client, keyFile: locked() },
        /tls\.key_file: .*locked\.pem is encrypted: give a key without a passphrase/,
      ],
      [
        "the key of another certificate",
        { ...client, keyFile: certificate("server-key.pem") },
        /tls\.key_file: .*server-key\.pem is not the key of the certificate in tls\.cert_file, .*client\.pem/,
      ],
    ];
    for (const [name, tls, complaint] of unreadable) {
      test(`a file that is ${name} is named`, async () => {
        await using collector = await start(undefined, { tls: {} });
        await using exporter = exporterTo(toTls(collector.port), { tls: { caFile, ...tls } });
        const { failed, reason, message } = await exportSpans(exporter, 1);
        assert.deepEqual([failed, reason], [1, "unavailable"], message);
        assert.match(message ?? "", complaint);
      });
    }

    test("a certificate and its key that are replaced one after the other cost no spans", async () => {
      const keyFile = join(folder, `${protocol.slice(0, 4)}-rotated.pem`);
      copyFileSync(certificate("server-key.pem"), keyFile);
      await using collector = await start(undefined, { tls: { mutual: true } });
      await using exporter = exporterTo(toTls(collector.port), {
        tls: { caFile, ...client, keyFile },
        retry: { maxAttempts: 9, initialBackoffMs: 100, maxBackoffMs: 100 },
      });
      const result = exportSpans(exporter, 2);
      await new Promise((resolve) => setTimeout(resolve, 300));
      copyFileSync(client.keyFile, keyFile);
      assert.deepEqual(await result, { exported: 2, failed: 0 });
    });

    test("TLS to a collector of plain text says what to set", async () => {
      await using collector = await start();
      await using exporter = exporterTo(toTls(collector.port));
      const { reason, message } = await exportSpans(exporter, 1);
      assert.equal(reason, "unavailable", message);
      assert.match(message ?? "", /TLS: wrong version number; .* set insecure: true or use http:\/\/$/);
    });

    test("plain text to a collector of TLS says what to set", async () => {
      await using collector = await start(undefined, { tls: { mutual: true } });
      await using exporter = exporterTo(url(collector.port));
      const { reason, message } = await exportSpans(exporter, 1);
      assert.equal(reason, "unavailable", message);
      assert.match(message ?? "", /the collector speaks TLS on this port: use https:\/\/$/);
    });

    test("the machine's roots count, where a company's own authority is installed", async () => {
      await using collector = await start(undefined, { tls: {} });
      const script = `
        const { exporterTo, exportSpans } = await import(${JSON.stringify(new URL("./collectors.ts", import.meta.url).href)});
        const exporter = exporterTo(${JSON.stringify(toTls(collector.port))});
        const result = exportSpans(exporter, 1);
        await exporter.shutdown(10_000);
        console.log(JSON.stringify(await result));`;
      const env = { ...process.env, SSL_CERT_FILE: caFile };
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], { env });
      const said: Buffer[] = [];
      child.stdout.on("data", (part: Buffer) => said.push(part));
      await once(child, "close");
      assert.deepEqual(JSON.parse(Buffer.concat(said).toString()), { exported: 1, failed: 0 });
    });
  });
}

for (const alpn of [["http/1.1"], undefined]) {
  test(`grpc: a TLS server without HTTP/2 is told apart, ALPN ${alpn ?? "unknown to it"}`, async () => {
    const key = readFileSync(certificate("server-key.pem"));
    const cert = readFileSync(certificate("server.pem"));
    const server = createServer({ key, cert, ...(alpn && { ALPNProtocols: alpn }) }, (socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const stop = await listen(server);
    try {
      const { port } = server.address() as AddressInfo;
      await using exporter = exporterTo(`https://127.0.0.1:${port}`, { tls: { caFile } });
      const { reason, message } = await exportSpans(exporter, 1);
      assert.equal(reason, "invalid_response", message);
      assert.match(message ?? "", /set protocol: http\/protobuf$/);
    } finally {
      await stop();
    }
  });
}

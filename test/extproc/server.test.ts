import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Client, credentials, status } from "@grpc/grpc-js";
import { parseConfig } from "../../src/config/load.ts";
import { joinEndings } from "../../src/extproc/endings.ts";
import { serve } from "../../src/extproc/server.ts";
import { buildService } from "../../src/router.ts";
import { startTracing } from "../../src/telemetry/tracing.ts";
import { openStream, sends } from "../support/ext-proc.ts";
import { settings } from "../support/tracing.ts";

const { config } = parseConfig("{}");

const tracing = startTracing(settings(), "test", undefined);

async function start(current = () => buildService(config, undefined, tracing, 1), listen = "127.0.0.1:0") {
  const faults: unknown[] = [];
  const endings = joinEndings(() => 0);
  const serving = { enter: current, leave: () => {}, endings, fault: (error: unknown) => faults.push(error) };
  return { processor: await serve(listen, serving), faults };
}

interface Ended {
  readonly code: number;
  readonly details: string;
}

/** `once` would reject with the stream's error, which every end but a clean one has. */
function endOf(stream: NodeJS.EventEmitter): Promise<Ended> {
  stream.on("error", () => {});
  return new Promise((resolve) => stream.on("status", resolve));
}

test("stopping cuts what has not ended by the deadline, with an error and never a clean close", async () => {
  const { processor } = await start();
  const stream = openStream(processor.port);
  const ended = endOf(stream);
  stream.write(sends.requestHeaders());
  await once(stream, "data");
  assert.equal(processor.active, 1);
  await processor.stop(50);
  assert.equal((await ended).code, status.UNAVAILABLE);
});

test("a fault of ours ends the stream with an error: a clean close would let Envoy carry on unchecked", async () => {
  const { processor, faults } = await start(() => {
    throw new Error("no generation");
  });
  const stream = openStream(processor.port);
  const ended = endOf(stream.resume());
  stream.write(sends.requestHeaders());
  const { code, details } = await ended;
  assert.deepEqual(
    [code, details, faults.length],
    [status.INTERNAL, "the processor failed on this exchange", 1],
  );
  await processor.stop(50);
});

test("bytes that are no ProcessingRequest end the stream with an error", async () => {
  const { processor } = await start();
  const client = new Client(`127.0.0.1:${processor.port}`, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const path = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";
  const stream = client.makeBidiStreamRequest(path, asIs, asIs);
  const ended = endOf(stream.resume());
  stream.write(Buffer.from([0x12, 0xff, 0xff, 0xff, 0x7f]));
  assert.notEqual((await ended).code, status.OK);
  client.close();
  await processor.stop(50);
});

test("a Unix socket that a killed process left behind is taken over; one in use is not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "socket-test-"));
  const path = join(folder, "router.sock");
  // What SIGKILL leaves: a socket file that nobody listens on.
  const left = spawnSync(process.execPath, [
    "-e",
    `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
  ]);
  assert.equal(left.signal, "SIGKILL");
  const { processor } = await start(undefined, `unix:${path}`);
  await assert.rejects(start(undefined, `unix:${path}`), /cannot listen/);
  await processor.stop(50);
  rmSync(folder, { recursive: true, force: true });
});

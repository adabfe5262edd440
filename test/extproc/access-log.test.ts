import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { type LogEntry, readEntries } from "../../src/extproc/access-log.ts";
import { joinEndings } from "../../src/extproc/endings.ts";
import { serve } from "../../src/extproc/server.ts";

/** What Envoy sends, with neighbours that nobody here reads. The numbers are Envoy's; names do not travel. */
const proto = `
syntax = "proto3";
package envoy.service.accesslog.v3;
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
service AccessLogService { rpc StreamAccessLogs(stream Message) returns (Answer); }
message Answer {}
message Message {
  Identifier identifier = 1;
  oneof entries { HttpEntries http = 2; TcpEntries tcp = 3; }
}
message Identifier { string log_name = 2; }
message HttpEntries { repeated Entry entry = 1; }
message TcpEntries { repeated TcpEntry entry = 1; }
message TcpEntry { Common common = 1; }
message Entry { Common common = 1; int32 version = 2; Request request = 3; Response response = 4; }
message Common {
  double sample_rate = 1;
  Address downstream = 2;
  google.protobuf.Timestamp start = 5;
  google.protobuf.Duration last_rx = 6;
  google.protobuf.Duration last_upstream_rx = 10;
  google.protobuf.Duration last_downstream_tx = 12;
  Address upstream = 13;
  string cluster = 15;
  Flags flags = 16;
  string route = 19;
  map<string, string> tags = 22;
  google.protobuf.Duration duration = 23;
  uint32 attempts = 24;
  string termination = 25;
  bool intermediate = 26;
  fixed32 later_fixed32 = 900;
  fixed64 later_fixed64 = 901;
}
message Address { oneof of { Socket socket = 1; Pipe pipe = 2; } }
message Socket { int32 protocol = 1; string address = 2; oneof port { uint32 value = 3; string name = 4; } }
message Pipe { string path = 1; uint32 mode = 2; }
message Flags { bool UT = 3; Unauthorized UAEX = 13; bool DC = 15; bool DR = 28; bool of_a_later_version = 99; }
message Unauthorized { int32 reason = 1; }
message Request { int32 method = 1; string path = 5; string user_agent = 6; string id = 9; map<string, string> headers = 13; }
message Response { google.protobuf.UInt32Value code = 1; uint64 header_bytes = 2; map<string, string> headers = 4; string details = 6; }
`;

const folder = mkdtempSync(join(tmpdir(), "access-log-test-"));
writeFileSync(join(folder, "log.proto"), proto);
const { AccessLogService } = (
  loadPackageDefinition(loadSync(join(folder, "log.proto"), { keepCase: true })) as unknown as {
    envoy: { service: { accesslog: { v3: { AccessLogService: ServiceClientConstructor } } } };
  }
).envoy.service.accesslog.v3;
rmSync(folder, { recursive: true });
const encode = (message: object): Buffer =>
  AccessLogService.service.StreamAccessLogs!.requestSerialize(message);

const http = (...entry: object[]) => ({ identifier: { log_name: "exchanges" }, http: { entry } });
const span = (seconds: number, nanos = 0) => ({ seconds, nanos });

/** Every field that is read, and one of each kind that is not. */
const full = {
  common: {
    sample_rate: 0.5,
    downstream: { socket: { address: "192.0.2.9", value: 5555 } },
    start: span(1_795_279_860, 546_575_000),
    last_rx: span(1, 1),
    last_upstream_rx: span(3, 250_000_000),
    last_downstream_tx: span(3, 300_000_000),
    upstream: { socket: { protocol: 0, address: "10.0.0.7", value: 8000 } },
    cluster: "endpoint/one",
    flags: { UT: true, UAEX: { reason: 1 }, DC: true, DR: true, of_a_later_version: true },
    route: "one",
    tags: { a: "b" },
    duration: span(3, 500_000_000),
    attempts: 2,
    termination: "x",
    later_fixed32: 7,
    later_fixed64: 7,
  },
  version: 2,
  request: {
    method: 3,
    path: "/v1/chat/completions?secret",
    user_agent: "a",
    id: "r-1",
    headers: { a: "b" },
  },
  response: { code: { value: 504 }, header_bytes: 99, headers: { a: "b" }, details: "response_timeout" },
};
const fullRead: LogEntry = {
  requestId: "r-1",
  startUs: 1_795_279_860_546_575,
  durationMs: 3500,
  upstreamEndMs: 3250,
  status: 504,
  details: "response_timeout",
  flags: ["UT", "UAEX", "DC", "DR"],
  peer: { address: "10.0.0.7", port: 8000 },
  attempts: 2,
};
const bare: LogEntry = {
  requestId: "r-2",
  startUs: 0,
  durationMs: 0,
  upstreamEndMs: undefined,
  status: 0,
  details: "",
  flags: [],
  peer: undefined,
  attempts: 0,
};
const ofId = (id: string, common: object = {}) => ({ common, request: { id } });

describe("entries as Envoy encodes them", () => {
  test("every field, those that are not read skipped", () => {
    assert.deepEqual(readEntries(encode(http(full))), [fullRead]);
  });
  test("a client that got no answer, an upstream that was never reached", () => {
    assert.deepEqual(readEntries(encode(http(ofId("r-2")))), [bare]);
  });
  test("several in one message, in their order", () => {
    const entries = readEntries(encode(http(full, ofId("r-2"), ofId("r-3"))));
    assert.deepEqual(
      entries.map(({ requestId }) => requestId),
      ["r-1", "r-2", "r-3"],
    );
  });
  test("one that is not the last of its exchange is ignored", () => {
    assert.deepEqual(readEntries(encode(http(ofId("r-2", { intermediate: true }), ofId("r-2")))), [bare]);
  });
  test("one without a request id is ignored: it can be joined with nothing", () => {
    assert.deepEqual(
      readEntries(encode(http({ ...full, request: { method: 3 } }, { common: full.common }))),
      [],
    );
  });
  test("a log of connections, and an empty message", () => {
    assert.deepEqual(readEntries(encode({ tcp: { entry: [{ common: full.common }] } })), []);
    assert.deepEqual(readEntries(Buffer.alloc(0)), []);
  });
  test("upstream by a Unix socket; by IPv6; by a named port", () => {
    const peerOf = (upstream: object) => readEntries(encode(http(ofId("r", { upstream }))))[0]?.peer;
    assert.deepEqual(peerOf({ pipe: { path: "/run/model.sock", mode: 6 } }), { address: "/run/model.sock" });
    assert.deepEqual(peerOf({ socket: { address: "::1", value: 65535 } }), { address: "::1", port: 65535 });
    assert.deepEqual(peerOf({ socket: { address: "10.0.0.7", name: "http" } }), {
      address: "10.0.0.7",
      port: undefined,
    });
  });
  test("where the last byte to the client came after the end by Envoy's count, the later one is the end", () => {
    const common = { duration: span(1), last_downstream_tx: span(2) };
    assert.equal(readEntries(encode(http(ofId("r", common))))[0]?.durationMs, 2000);
  });
  test("a message cut anywhere throws RangeError, or reads as the shorter message that it then is", () => {
    const bytes = encode(http(full));
    let refused = 0;
    for (let length = 1; length < bytes.length; length += 1) {
      try {
        assert.deepEqual(readEntries(bytes.subarray(0, length)), [], `cut after ${length}`);
      } catch (error) {
        assert.ok(error instanceof RangeError, `cut after ${length}: ${error}`);
        refused += 1;
      }
    }
    // All but those that end with the identifier.
    assert.ok(refused >= bytes.length - 20, `${refused} of ${bytes.length}`);
  });
});

test("a stream of entries reaches the exchanges that wait for them; its end and our stop are heard", async () => {
  const endings = joinEndings(() => 10_000);
  const joined = (requestId: string, startUs = 0) =>
    new Promise<LogEntry | undefined>((settle) => {
      endings.expect({ requestId, startUs, heardMs: 0 }).ended(settle);
    });
  const serving = {
    enter: () => assert.fail("no exchange here"),
    leave: () => {},
    endings,
    fault: assert.fail,
  };
  const processor = await serve("127.0.0.1:0", serving);
  const client = new AccessLogService(`127.0.0.1:${processor.port}`, credentials.createInsecure());
  const open = () => {
    const answered = Promise.withResolvers<ServiceError | null>();
    const stream = client.StreamAccessLogs!((error: ServiceError | null) => answered.resolve(error));
    return { stream, answered: answered.promise };
  };
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  try {
    const first = open();
    first.stream.write(http(ofId("of nobody")));
    await until(() => endings.counts.unclaimed === 1);
    const waiting = [joined("r-1", fullRead.startUs), joined("r-2"), joined("r-3")];
    first.stream.write(http(ofId("r-2")));
    first.stream.write(http(ofId("r-3"), full));
    assert.deepEqual((await Promise.all(waiting)).slice(0, 2), [fullRead, bare]);
    first.stream.end();
    assert.equal(await first.answered, null);
    assert.equal(await joined("r-4"), undefined, "with no log open none waits for long");

    const second = open();
    second.stream.write(http(ofId("of nobody either")));
    await until(() => endings.counts.unclaimed === 2);
    await processor.stop(0);
    assert.equal(await second.answered, null);
  } finally {
    client.close();
    await processor.stop(0);
  }
});

import assert from "node:assert/strict";
import { createServer as createHttp } from "node:http";
import { createServer, type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { freePort } from "../../support/ports.ts";
import {
  bothProtocols,
  exporterTo,
  exportSpans,
  grpcCollector,
  httpCollector,
  listen,
  protocols,
} from "./collectors.ts";

async function withServer(server: Server, run: (port: number) => Promise<void>): Promise<void> {
  const stop = await listen(server);
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    await stop();
  }
}

for (const protocol of bothProtocols) {
  const { collector: start, url } = protocols[protocol];

  describe(protocol, () => {
    test("a collector that is not there", async () => {
      const port = await freePort();
      await using exporter = exporterTo(url(port), { retry: { maxAttempts: 2 } });
      const { failed, reason, message } = await exportSpans(exporter, 3);
      assert.deepEqual([failed, reason], [3, "unavailable"]);
      const code = protocol === "grpc" ? "14 UNAVAILABLE: " : "";
      assert.equal(message, `${url(port)}: ${code}connect ECONNREFUSED 127.0.0.1:${port} (2 attempts)`);
    });

    test("a collector that goes away and comes back gets what comes then", async () => {
      const port = await freePort();
      await using exporter = exporterTo(url(port));
      for (let round = 1; round <= 2; round += 1) {
        const away = await exportSpans(exporter, 1);
        assert.equal(away.reason, "unavailable");
        await using collector = await start(undefined, { port });
        assert.deepEqual(await exportSpans(exporter, 2), { exported: 2, failed: 0 });
        assert.equal(collector.seen.length, 1);
      }
    });

    test("a collector that comes back in time gets what was to be tried again", async () => {
      const port = await freePort();
      const retry = { maxAttempts: 20, initialBackoffMs: 50, maxBackoffMs: 50 };
      await using exporter = exporterTo(url(port), { retry });
      const result = exportSpans(exporter, 2);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await using _ = await start(undefined, { port });
      assert.deepEqual(await result, { exported: 2, failed: 0 });
    });

    test("a collector that takes requests and never answers: the attempt times out, on a connection each", async () => {
      const connections = new Set<unknown>();
      const server = createTcp((socket) => {
        connections.add(socket);
        socket.resume();
      });
      await withServer(server, async (port) => {
        await using exporter = exporterTo(url(port), { timeoutMs: 100, retry: { maxAttempts: 2 } });
        const { failed, reason, message } = await exportSpans(exporter, 1);
        assert.deepEqual([failed, reason], [1, "timeout"]);
        assert.match(message ?? "", /no answer within 100 ms \(2 attempts\)$/);
        assert.equal(connections.size, 2);
      });
    });

    test("a collector that is slow once is asked again", async () => {
      await using collector = await start(((request: number) =>
        request === 1 ? "never" : {}) as () => "never");
      await using exporter = exporterTo(url(collector.port), { timeoutMs: 200, retry: { maxAttempts: 2 } });
      assert.deepEqual(await exportSpans(exporter, 1), { exported: 1, failed: 0 });
      assert.equal(collector.seen.length, 2);
    });

    test("a collector that half-closes", async () => {
      const server = createTcp({ allowHalfOpen: true }, (socket) => {
        socket.end();
        socket.resume();
      });
      await withServer(server, async (port) => {
        await using exporter = exporterTo(url(port), { timeoutMs: 300 });
        const { failed, reason } = await exportSpans(exporter, 1);
        assert.equal(failed, 1);
        assert.ok(reason === "unavailable" || reason === "timeout", reason);
      });
    });

    test("a peer that speaks something else", async () => {
      const server = createTcp((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"));
      await withServer(server, async (port) => {
        await using exporter = exporterTo(url(port), { retry: { maxAttempts: 3 } });
        const { failed, reason, message } = await exportSpans(exporter, 1);
        assert.deepEqual([failed, reason], [1, "invalid_response"]);
        assert.match(message ?? "", /the answer is not HTTP .* is this the port of a collector\?$/);
      });
    });

    test("an answer without an end is cut off", async () => {
      const endless = (stream: ServerHttp2Stream | import("node:http").ServerResponse) => {
        const more = (): void => {
          while (!stream.destroyed && stream.write(Buffer.alloc(65_536)));
          if (!stream.destroyed) stream.once("drain", more);
        };
        stream.on("error", () => {});
        more();
      };
      const server =
        protocol === "grpc"
          ? createServer().on("stream", (stream) => {
              stream.respond({ "content-type": "application/grpc" });
              endless(stream);
            })
          : createHttp((_, response) => endless(response));
      await withServer(server, async (port) => {
        await using exporter = exporterTo(url(port));
        const { failed, message } = await exportSpans(exporter, 1);
        assert.equal(failed, 1);
        assert.match(message ?? "", /the answer is longer than 1 MiB$/);
      });
    });

    test("what a collector quotes of the headers is not told", async () => {
      await using collector =
        protocol === "grpc"
          ? await grpcCollector((_, { headers }) => ({ code: 16, text: `bad ${headers.authorization}` }))
          : await httpCollector((_, { headers }) => ({
              status: 401,
              headers: { "content-type": "text/plain" },
              body: `bad ${headers.authorization?.split(" ")[1]}`,
            }));
      const headers = { authorization: "Bearer s3cr3t-t0ken" };
      await using exporter = exporterTo(url(collector.port), { headers });
      const { message } = await exportSpans(exporter, 1);
      assert.match(message ?? "", /bad \*\*\*$/);
    });
  });
}

describe("http/protobuf", () => {
  test("a kept connection that the collector has ended meanwhile costs no spans", async () => {
    const sockets: Socket[] = [];
    let requests = 0;
    const server = createHttp((request, response) => {
      request.resume();
      requests += 1;
      // The second request on a connection finds it gone.
      if (sockets.includes(request.socket)) request.socket.resetAndDestroy();
      else response.end();
      sockets.push(request.socket);
    });
    await withServer(server, async (port) => {
      await using exporter = exporterTo(`http://127.0.0.1:${port}/v1/traces`);
      for (let i = 0; i < 3; i += 1) assert.equal((await exportSpans(exporter, 1)).exported, 1);
      assert.equal(requests, 5);
    });
  });

  test("a port for gRPC is told apart", async () => {
    await using collector = await grpcCollector();
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}/v1/traces`);
    const { reason, message } = await exportSpans(exporter, 1);
    assert.equal(reason, "invalid_response");
    assert.match(message ?? "", /port speaks HTTP\/2, as for gRPC on port 4317: set protocol: grpc$/);
  });
});

describe("grpc", () => {
  /** A server of HTTP/2 without any gRPC of its own. */
  const withStreams = (
    answer: (stream: ServerHttp2Stream, session: Http2Session, request: number) => void,
    run: (port: number, sessions: Set<ServerHttp2Session>) => Promise<void>,
  ): Promise<void> => {
    const sessions = new Set<ServerHttp2Session>();
    let requests = 0;
    const server = createServer();
    server.on("session", (session) => {
      sessions.add(session);
      session.on("error", () => {});
    });
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.resume();
      stream.on("end", () => answer(stream, stream.session!, ++requests));
    });
    return withServer(server, (port) => run(port, sessions));
  };
  const ok = (stream: ServerHttp2Stream): void => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.alloc(5));
  };

  test("one connection serves all requests", () =>
    withStreams(ok, async (port, sessions) => {
      await using exporter = exporterTo(`http://127.0.0.1:${port}`);
      for (let i = 0; i < 4; i += 1) assert.equal((await exportSpans(exporter, 1)).exported, 1);
      assert.equal(sessions.size, 1);
    }));

  test("GOAWAY after each request: a new connection each, nothing lost", () =>
    withStreams(
      (stream, session) => {
        ok(stream);
        stream.on("close", () => session.goaway(0));
      },
      async (port, sessions) => {
        await using exporter = exporterTo(`http://127.0.0.1:${port}`);
        for (let i = 0; i < 4; i += 1) assert.equal((await exportSpans(exporter, 1)).exported, 1);
        assert.ok(sessions.size >= 3);
      },
    ));

  test("a kept connection that is gone when it is used costs no spans", () =>
    withStreams(
      (stream, session, request) => (request % 2 === 0 ? session.destroy() : ok(stream)),
      async (port) => {
        await using exporter = exporterTo(`http://127.0.0.1:${port}`);
        for (let i = 0; i < 3; i += 1) assert.equal((await exportSpans(exporter, 1)).exported, 1);
      },
    ));

  test("a stream that the server refused is sent again", () =>
    withStreams(
      (stream, _, request) => (request === 1 ? stream.close(7) : ok(stream)),
      async (port) => {
        await using exporter = exporterTo(`http://127.0.0.1:${port}`);
        assert.equal((await exportSpans(exporter, 1)).exported, 1);
      },
    ));

  test("after a time-out the next request has a connection of its own", () =>
    withStreams(
      (stream, _, request) => {
        if (request > 1) ok(stream);
      },
      async (port, sessions) => {
        await using exporter = exporterTo(`http://127.0.0.1:${port}`, { timeoutMs: 200 });
        assert.equal((await exportSpans(exporter, 1)).reason, "timeout");
        assert.equal((await exportSpans(exporter, 1)).exported, 1);
        assert.deepEqual(
          [...sessions].map(({ destroyed }) => destroyed),
          [true, false],
        );
      },
    ));

  const plain =
    (status: number, type: string, trailers: Record<string, string> = {}, body = Buffer.alloc(0)) =>
    (stream: ServerHttp2Stream): void => {
      stream.respond({ ":status": status, "content-type": type }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      stream.end(body);
    };
  const grpc = "application/grpc+proto";
  const answers: readonly [string, (stream: ServerHttp2Stream) => void, string, RegExp][] = [
    [
      "HTTP 503 of a proxy",
      plain(503, "text/plain"),
      "unavailable",
      /14 UNAVAILABLE: HTTP 503 without a gRPC status/,
    ],
    ["HTTP 404 of a web server", plain(404, "text/html"), "unimplemented", /12 UNIMPLEMENTED: HTTP 404/],
    ["HTTP 403 of a proxy", plain(403, "text/html"), "refused", /7 PERMISSION_DENIED: HTTP 403/],
    [
      "a web page",
      plain(200, "text/html"),
      "invalid_response",
      /content-type text\/html; is this a collector/,
    ],
    ["no status", plain(200, grpc), "invalid_response", /no grpc-status$/],
    ["a status that is none", plain(200, grpc, { "grpc-status": "fine" }), "invalid_response", /no number$/],
    ["no message", plain(200, grpc, { "grpc-status": "0" }), "invalid_response", /bad frame/],
    [
      "a message that is none",
      plain(200, grpc, { "grpc-status": "0" }, Buffer.from("\0\0\0\0\x04\x0a\x7fxx")),
      "invalid_response",
      /protobuf: message cut short/,
    ],
    [
      "a code of tomorrow, a message that is not percent-encoded",
      plain(200, grpc, { "grpc-status": "42", "grpc-message": "100% sure" }),
      "refused",
      /42 \(no such code\): 100% sure$/,
    ],
    ["CANCEL", (stream) => stream.close(8), "unavailable", /1 CANCELLED: the collector reset the stream/],
    ["INTERNAL_ERROR", (stream) => stream.close(2), "refused", /13 INTERNAL: the collector reset .*error 2/],
    [
      "a connection cut before the answer",
      (stream) => stream.session?.destroy(),
      "unavailable",
      /14 UNAVAILABLE: /,
    ],
    [
      "a connection cut amid the answer",
      (stream) => {
        stream.respond({ "content-type": grpc });
        stream.write("\0", () => stream.session?.destroy());
      },
      "unavailable",
      /14 UNAVAILABLE: the connection was closed amid the answer/,
    ],
    [
      "a status without a body",
      (stream) => stream.respond({ "content-type": grpc, "grpc-status": "16" }, { endStream: true }),
      "refused",
      /16 UNAUTHENTICATED$/,
    ],
  ];
  for (const [name, answer, word, words] of answers) {
    test(`answered with ${name}`, () =>
      withStreams(answer, async (port) => {
        await using exporter = exporterTo(`http://127.0.0.1:${port}`);
        const { failed, reason, message } = await exportSpans(exporter, 2);
        assert.deepEqual([failed, reason], [2, word], message);
        assert.match(message ?? "", words);
      }));
  }

  test("a port for http/protobuf is told apart", async () => {
    await using collector = await httpCollector();
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}`);
    const { reason, message } = await exportSpans(exporter, 1);
    assert.equal(reason, "invalid_response");
    assert.match(message ?? "", /port 4318 speaks http\/protobuf: set protocol: http\/protobuf$/);
  });
});

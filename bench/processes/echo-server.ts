import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition } from "@grpc/grpc-js";
import { type Codec, codecs } from "../lib/codecs.ts";
import { grpcMessage } from "../lib/h2-frames.ts";
import { answerParent } from "../lib/role.ts";

/** A processor that decides nothing: reads each message, gives the fixed answer. What is left is transport and codec. */

const path = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

function overGrpcJs({ decode, encode, answer }: Codec): Promise<number> {
  const service: ServiceDefinition = {
    process: {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: () => Buffer.alloc(0),
      requestDeserialize: decode,
      responseSerialize: encode,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  };
  const server = new Server();
  server.addService(service, {
    process: (call: ServerDuplexStream<unknown, unknown>) => {
      call.on("data", (message) => call.write(answer(message)));
      call.on("end", () => call.end());
      call.on("error", () => {});
    },
  });
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** The same service without grpc-js: what its layers cost. Enough of gRPC for the bench's own client, no more. */
function overHttp2({ decode, encode, answer }: Codec): Promise<number> {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    let rest: Buffer = Buffer.alloc(0);
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.on("data", (bytes: Buffer) => {
      rest = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        const end = 5 + rest.readUInt32BE(1);
        stream.write(grpcMessage(encode(answer(decode(rest.subarray(5, end))))));
        rest = rest.subarray(end);
      }
    });
    stream.on("end", () => stream.end());
    stream.on("error", () => {});
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

answerParent({
  serve: ({ codec, transport }: { codec: keyof typeof codecs; transport: "grpc-js" | "node:http2" }) =>
    transport === "grpc-js" ? overGrpcJs(codecs[codec]) : overHttp2(codecs[codec]),
});

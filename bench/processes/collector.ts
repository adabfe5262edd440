import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { Reader } from "../../src/protobuf/wire.ts";
import { answerParent } from "../lib/role.ts";

/**
 * An OTLP gRPC collector that counts spans and keeps none: one that decodes every attribute would take more CPU of the
 * two cores than the processor it listens to.
 */
let spans = 0;
let batches = 0;
const pass = (bytes: Buffer) => bytes;

const server = new Server({ "grpc.max_receive_message_length": -1 });
server.addService(
  {
    Export: {
      path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
      requestStream: false,
      responseStream: false,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    },
  },
  {
    Export(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
      batches += 1;
      spans += count(new Reader(call.request), 3);
      answer(null, Buffer.alloc(0));
    },
  },
);

/** Request, resource, scope: the spans are `depth` messages deep, in field 1, 2 and 2. */
function count(reader: Reader, depth: number): number {
  let found = 0;
  const wanted = depth === 3 ? 10 : 18;
  while (reader.more) {
    const tag = reader.varint();
    if (tag !== wanted) reader.skip(tag & 7);
    else if (depth > 1) found += count(reader.message(), depth - 1);
    else {
      reader.skip(2);
      found += 1;
    }
  }
  return found;
}

const port = new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
    error ? reject(error) : resolve(bound),
  );
});

answerParent({ port: () => port, received: () => ({ spans, batches }) });

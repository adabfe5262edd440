import { parentPort, workerData } from "node:worker_threads";
import { grpcTransport } from "./grpc.ts";
import { httpTransport } from "./http.ts";
import type { Piece, Released, SenderData, ToSender } from "./messages.ts";
import { outbox } from "./outbox.ts";

/** The thread that sends: what is loaded here costs memory of its own, so no SDK and no gRPC library. */
if (parentPort) {
  const port = parentPort;
  const { settings, userAgent } = workerData as SenderData;
  const transport = settings.protocol === "grpc" ? grpcTransport : httpTransport;
  const box = outbox(transport(settings, userAgent), settings, (settled) => port.postMessage(settled));
  const giveBack = (released: readonly Piece[]): void =>
    port.postMessage(
      { released } satisfies Released,
      released.map(({ bytes }) => bytes.buffer),
    );
  port.on("message", (message: ToSender) => {
    if ("shutdownMs" in message) box.shutdown(message.shutdownMs);
    else if ("release" in message) void box.release().then(giveBack);
    else box.add(message);
  });
}

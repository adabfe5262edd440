import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as tick } from "node:timers/promises";
import { usualResponse } from "../lib/messages.ts";
import { answerParent } from "../lib/role.ts";

/** A model server that answers at once, always the same: plain HTTP/1.1 on a socket, so that little CPU is its own. */

const chunks = 20;
const json = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(usualResponse)}\r\n\r\n${usualResponse}`,
);
const streamHead = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
);
const chunked = (text: string) => Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
const event = (delta: object, finish: string | null) =>
  chunked(
    `data: ${JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1_795_000_000,
      model: "general-model",
      choices: [{ index: 0, delta, finish_reason: finish }],
    })}\n\n`,
  );
const events = [
  ...Array.from({ length: chunks - 2 }, (_, i) => event({ content: `token${i} ` }, null)),
  event({}, "stop"),
  Buffer.concat([chunked("data: [DONE]\n\n"), Buffer.from("0\r\n\r\n")]),
];

const headEnd = Buffer.from("\r\n\r\n");
const wantsStream = Buffer.from('"stream":true');

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    rest = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
    const body = rest.indexOf(headEnd) + headEnd.length;
    if (body < headEnd.length) return;
    const head = rest.toString("latin1", 0, body);
    const end = body + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (rest.length < end) return;
    const stream = rest.indexOf(wantsStream, body) >= 0;
    rest = rest.subarray(end);
    if (stream) void sendEvents(socket);
    else socket.write(json);
  });
}

/** Each event in a turn of its own, as a model sends them, but without a pause. */
async function sendEvents(socket: Socket): Promise<void> {
  socket.write(streamHead);
  for (const one of events) {
    if (socket.destroyed) return;
    socket.write(one);
    await tick();
  }
}

const server = createServer(serve);
const port = new Promise<number>((resolve) => {
  server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
});

answerParent({ port: () => port });

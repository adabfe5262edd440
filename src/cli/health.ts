import { connect } from "node:http2";
import { connect as dial } from "node:net";
import { type Place, placeGiven, placeOf, reachable } from "./addresses.ts";
import type { Command, Given } from "./command.ts";
import { configOption } from "./config-option.ts";
import { print, printJson } from "./output.ts";

const limitMs = 2000;

/** Asks `grpc.health.v1.Health/Check`: what a container's health check runs, so it loads no gRPC for one call. */
export const health: Command = {
  usage: "health [OPTION...]",
  about: `Asks grpc.health.v1 at the processor's address, for at most 2 seconds. A processor started with --listen is to be
asked with the same --listen. With it no configuration is read.
Exit status: 0 SERVING, 1 anything else, 2 usage.`,
  options: {
    config: configOption,
    listen: {
      type: "string",
      value: "ADDR",
      description: "host:port or unix:/path to ask; else the configuration's server.listen",
    },
    json: { type: "boolean", description: "as JSON: address, status, and error where there is no status" },
  },
  positionals: [0, 0],
  async run(given, { output, errors }) {
    const { address, place } = await target(given);
    const { status, error } = await ask(place).then(
      (status) => ({ status, error: undefined }),
      (error: Error) => ({ status: undefined, error: error.message }),
    );
    if (given.flag("json"))
      await printJson(output, { address, status: status ?? null, ...(error && { error }) });
    else if (status === "SERVING") await print(output, status);
    else errors.write(`semantic-router health: ${address}: ${error ?? status}\n`);
    return status === "SERVING" ? 0 : 1;
  },
};

async function target(given: Given): Promise<{ address: string; place: Place }> {
  const listen = given.text("listen");
  if (listen !== undefined) return { address: listen, place: reachable(placeGiven("listen", listen)) };
  const { listenIn } = await import("./health-address.ts");
  const address = listenIn(given.text("config"));
  const place = placeOf(address);
  if (place === undefined)
    throw new Error(`server.listen must be host:port or unix:/path, not "${address}"; give --listen`);
  return { address, place: reachable(place) };
}

/** One gRPC call by hand: a request without fields is a frame of length 0. */
function ask(place: Place): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const session =
    "path" in place
      ? connect("http://localhost", { createConnection: () => dial(place.path) })
      : connect(`http://${place.address.includes(":") ? `[${place.address}]` : place.address}:${place.port}`);
  const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  session.on("error", (error) => reject(new Error(why(error))));
  const call = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const parts: Buffer[] = [];
  let grpcStatus: unknown;
  const heard = (headers: Record<string, unknown>): void => {
    grpcStatus = headers["grpc-status"] ?? grpcStatus;
  };
  call
    .on("response", heard)
    .on("trailers", heard)
    .on("data", (part: Buffer) => parts.push(part))
    .on("error", (error) => reject(new Error(why(error))))
    .on("end", () => {
      if (grpcStatus !== "0")
        reject(new Error(`no gRPC health service (grpc-status ${grpcStatus ?? "missing"})`));
      else resolve(statusIn(Buffer.concat(parts)));
    })
    .end(Buffer.alloc(5));
  return promise.finally(() => {
    clearTimeout(timer);
    session.destroy();
  });
}

/** A stream that has no connection says so in its cause. */
function why(error: NodeJS.ErrnoException): string {
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
  return code && !code.startsWith("ERR_") ? code : message;
}

/** Field 1 of the message behind five bytes of frame; a field that is 0 is left out. */
function statusIn(frame: Buffer): string {
  const value = frame.length >= 7 && frame[5] === 8 ? frame[6]! : 0;
  return ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"][value] ?? `status ${value}`;
}

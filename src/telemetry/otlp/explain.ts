import type { OtlpSettings } from "../settings.ts";
import { oneLine } from "./answer.ts";
import { speaksHttp1, speaksTls } from "./probe.ts";
import { type Failure, failure } from "./transport.ts";

type Protocol = OtlpSettings["protocol"];
type ConnectionError = NodeJS.ErrnoException & { reason?: string; rawPacket?: Buffer };

const remedies: readonly (readonly [code: RegExp, remedy: string])[] = [
  [
    /wrong version number|packet length too long/,
    "the collector does not speak TLS on this port: set insecure: true or use http://",
  ],
  [
    /UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|SELF_SIGNED|CERT_UNTRUSTED/,
    "name the authority that signed the collector's certificate in tls.ca_file",
  ],
  [
    /ALTNAME_INVALID/,
    "the certificate is for other names: write one of them in the endpoint, or have it made for this one",
  ],
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA/,
    "the collector asks for a client certificate that it trusts: see tls.cert_file and tls.key_file",
  ],
];
const other = {
  grpc: "the port does not speak HTTP/2, which gRPC needs; port 4318 speaks http/protobuf: set protocol: http/protobuf",
  "http/protobuf": "the port speaks HTTP/2, as for gRPC on port 4317: set protocol: grpc",
} as const;

/** What a connection error means: its own words, and what to change where that is known. Never rejects. */
export async function explain(error: Error, protocol: Protocol, url: URL): Promise<Failure> {
  const { code = "", rawPacket } = error as ConnectionError;
  const words = text(error);
  if (code === "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL") {
    return failure("invalid_response", `${words}; ${other[protocol]}`, false);
  }
  // HTTP/2 that is none, HTTP/1 that is none: what else is it?
  if (code === "ERR_HTTP2_ERROR" || code.startsWith("HPE_")) {
    const mixedUp = rawPacket ? isSettings(rawPacket) : url.protocol === "http:" && (await speaksHttp1(url));
    const remedy = mixedUp ? other[protocol] : "is this the port of a collector?";
    return failure("invalid_response", `the answer is not HTTP (${words}); ${remedy}`, false);
  }
  if (url.protocol === "http:" && (code === "ECONNRESET" || code === "") && (await speaksTls(url))) {
    return failure("unavailable", `${words}; the collector speaks TLS on this port: use https://`, true);
  }
  const [, remedy] = remedies.find(([pattern]) => pattern.test(`${code} ${words}`)) ?? [];
  return failure("unavailable", remedy ? `${words}; ${remedy}` : words, true);
}

/** Several addresses were tried: each has its error, the sum has no message. OpenSSL's are cut to what they say. */
function text(error: Error): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(text).join(", ");
  const [, openssl] = /:SSL routines:[^:]*:([^:]+):/.exec(error.message) ?? [];
  return openssl ? `TLS: ${openssl}` : oneLine(error.message);
}

/** The frame that a HTTP/2 server sends first. */
const isSettings = (packet: Buffer): boolean => packet.length >= 9 && packet[0] === 0 && packet[3] === 4;

import { fileURLToPath } from "node:url";
import {
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";

type Plain = Record<string, unknown>;

const definition = loadSync("envoy/service/ext_proc/v3/external_processor.proto", {
  includeDirs: [fileURLToPath(new URL("../../proto", import.meta.url))],
  keepCase: true,
  enums: String,
  oneofs: true,
});
const { ExternalProcessor } = (
  loadPackageDefinition(definition) as unknown as {
    envoy: { service: { ext_proc: { v3: { ExternalProcessor: ServiceClientConstructor } } } };
  }
).envoy.service.ext_proc.v3;
const { requestSerialize, responseDeserialize, requestDeserialize, responseSerialize } = (
  ExternalProcessor.service as unknown as {
    Process: {
      requestSerialize: (value: object) => Buffer;
      requestDeserialize: (bytes: Buffer) => Plain;
      responseSerialize: (value: object) => Buffer;
      responseDeserialize: (bytes: Buffer) => Plain;
    };
  }
).Process;

/** The protocol as the .proto files have it, by an implementation that is not ours: the oracle for our own codec. */
export const oracle = { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize };

export const messageType = (name: string): MessageTypeDefinition<object, object> =>
  definition[name] as MessageTypeDefinition<object, object>;

/** A raw client of the processor: what Envoy would be. */
export function openStream(
  port: number,
  headers: Record<string, string> = {},
): ClientDuplexStream<object, Plain> {
  const client = new ExternalProcessor(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const stream = client.Process!(metadata) as ClientDuplexStream<object, Plain>;
  stream.on("status", () => client.close());
  return stream;
}

const header = ([key, value]: readonly [string, string]) => ({ key, raw_value: Buffer.from(value) });
export const headerMap = (headers: Record<string, string | readonly string[]>) => ({
  headers: Object.entries(headers).flatMap(([key, value]) => [value].flat().map((one) => header([key, one]))),
});

const post = {
  ":method": "POST",
  ":path": "/v1/chat/completions",
  ":scheme": "http",
  ":authority": "router",
};
const modes = { request_body_mode: "BUFFERED", response_body_mode: "STREAMED" };

/** Messages as Envoy sends them. */
export const sends = {
  requestHeaders: (headers: Record<string, string | readonly string[]> = {}, more: Plain = {}) => ({
    request_headers: { headers: headerMap({ ...post, ...headers }), end_of_stream: false, ...more },
    protocol_config: modes,
  }),
  get: (path: string, headers: Record<string, string> = {}) => ({
    request_headers: {
      headers: headerMap({ ...post, ":method": "GET", ":path": path, ...headers }),
      end_of_stream: true,
    },
    protocol_config: modes,
  }),
  requestBody: (body: unknown, more: Plain = {}) => ({
    request_body: { body: bytes(body), end_of_stream: true, ...more },
  }),
  responseHeaders: (status: number, headers: Record<string, string> = {}, more: Plain = {}) => ({
    response_headers: {
      headers: headerMap({ ":status": String(status), "content-type": "application/json", ...headers }),
      end_of_stream: false,
    },
    attributes: {
      "envoy.filters.http.ext_proc": {
        fields: { "response.code_details": { stringValue: "via_upstream", kind: "stringValue" } },
      },
    },
    ...more,
  }),
  responseBody: (body: unknown, end = true) => ({ response_body: { body: bytes(body), end_of_stream: end } }),
  responseTrailers: () => ({ response_trailers: { trailers: { headers: [] } } }),
  requestTrailers: () => ({ request_trailers: { trailers: { headers: [] } } }),
};

const bytes = (body: unknown): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));

/** Headers set by an answer, by name; `undefined` where the answer has no mutation. */
export function setHeaders(answer: Plain): Record<string, string> {
  const mutation = mutationOf(answer);
  return Object.fromEntries(
    (mutation?.set_headers ?? []).map(({ header: { key, raw_value } }) => [key, raw_value.toString()]),
  );
}

export const removedHeaders = (answer: Plain): string[] => mutationOf(answer)?.remove_headers ?? [];

interface Mutation {
  readonly set_headers: { header: { key: string; raw_value: Buffer } }[];
  readonly remove_headers: string[];
}

function mutationOf(answer: Plain): Mutation | undefined {
  const part = answer[answer.response as string] as Plain;
  if (answer.response === "immediate_response") return part.headers as Mutation | undefined;
  return ((part.response as Plain | null)?.header_mutation ?? part.header_mutation ?? undefined) as
    | Mutation
    | undefined;
}

export function bodyOf(answer: Plain): Buffer | undefined {
  const part = answer[answer.response as string] as {
    response?: { body_mutation?: { body?: Buffer } };
    body?: Buffer;
  };
  return answer.response === "immediate_response" ? part.body : part.response?.body_mutation?.body;
}

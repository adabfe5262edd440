import { type OtlpEndpoint, type OtlpProtocol, otlpEndpoint } from "../../config/otlp-endpoint.ts";
import type { Tracing } from "../../config/schema.ts";
import { type Choice, type Choices, Fault, isVariable, wordOf } from "./choices.ts";
import { otlp } from "./variables.ts";

const protocols: Readonly<Record<string, OtlpProtocol>> = { grpc: "grpc", "http/protobuf": "http/protobuf" };

export interface Target {
  readonly protocol: Choice<OtlpProtocol>;
  readonly url: Choice<string>;
  readonly isSecure: Choice<boolean>;
}

/** Where spans go and how: the endpoint from its strongest usable source, read with the protocol that is asked for. */
export function target(policy: Tracing["exporter"], choices: Choices): Target {
  const asked = choices.pick<OtlpProtocol | undefined>(
    otlp("PROTOCOL"),
    wordOf(protocols),
    "exporter.protocol",
    policy.protocol,
  );
  const insecure = choices.flag(otlp("INSECURE")) ?? choices.file("exporter.insecure", policy.insecure);
  const read = (text: string, tracesPath: "append" | "exact" | "default") => {
    const found = otlpEndpoint(text, { protocol: asked.value, insecure: insecure.value, tracesPath });
    return "fault" in found ? new Fault(found.fault) : found;
  };
  const [specific] = otlp("ENDPOINT");
  const given = choices.variable(otlp("ENDPOINT"), (text, name) =>
    read(text, name === specific ? "exact" : "append"),
  );
  const endpoint = given ?? ofFile(policy.endpoint, read, asked.value, choices);
  const found = endpoint.value;

  // A file is checked, and its place told, when it is loaded; what a variable did to it is not.
  if (isVariable(endpoint.from) || isVariable(asked.from))
    for (const warning of found.warnings) choices.warnings.push(`${nameOf(endpoint.from)}: ${warning}`);
  const isSecure = found.url.startsWith("https:");
  if (found.decidesTls && isSecure && insecure.value) {
    const name = isVariable(insecure.from) ? insecure.from : "exporter.insecure";
    choices.warnings.push(
      `${name} has no effect: the endpoint is https:// (${endpoint.from}), so TLS is used`,
    );
  }
  return {
    protocol:
      found.protocol === asked.value
        ? { value: asked.value, from: asked.from }
        : { value: found.protocol, from: endpoint.from },
    url: { value: found.url, from: endpoint.from },
    isSecure: { value: isSecure, from: found.decidesTls ? endpoint.from : insecure.from },
  };
}

/** For people: a key may stand behind the `?`, or as a segment of the path, where only words are sure not to be one. */
export function shownUrl(url: string): string {
  const { origin } = new URL(url);
  const [path = "", ...query] = url.slice(origin.length).split("?");
  const words = path.replace(/[^/]+/g, (segment) => (isWord(segment) ? segment : "…"));
  return `${origin}${words}${query.length > 0 ? "?..." : ""}`;
}

/** Short, and letters or digits but not both, save a version such as `v1`. */
const isWord = (segment: string) =>
  segment.length <= 16 && (/^v[0-9]$/i.test(segment) || !/[a-z].*[0-9]|[0-9].*[a-z]/i.test(segment));

const nameOf = (from: string) => (isVariable(from) ? from : "observability.tracing.exporter.endpoint");

function ofFile(
  written: string,
  read: (text: string, tracesPath: "default") => OtlpEndpoint | Fault,
  asked: OtlpProtocol | undefined,
  choices: Choices,
): Choice<OtlpEndpoint> {
  const { from } = choices.file("exporter.endpoint", written);
  const found = from === "file" ? read(written, "default") : undefined;
  if (found !== undefined && !(found instanceof Fault)) return { value: found, from };
  if (found) choices.warnings.push(`observability.tracing.exporter.endpoint ${found.why}; it is ignored`);
  const fallback = read(asked === "http/protobuf" ? "localhost:4318" : "localhost:4317", "default");
  if (fallback instanceof Fault) throw new Error(fallback.why);
  return { value: fallback, from: "default" };
}

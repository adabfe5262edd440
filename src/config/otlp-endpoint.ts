/** How OTLP is spoken. */
export type OtlpProtocol = "grpc" | "http/protobuf";

export interface EndpointRules {
  /** Asked for by name; undefined: the endpoint decides. */
  readonly protocol: OtlpProtocol | undefined;
  /** Plain text where the scheme does not say. */
  readonly insecure: boolean;
  /** When `/v1/traces` is put behind the path, over http/protobuf: always, never, or where there is no path. */
  readonly tracesPath: "append" | "exact" | "default";
}

export interface OtlpEndpoint {
  readonly protocol: OtlpProtocol;
  /** `http:` or `https:`. Over gRPC an origin, over http/protobuf the very URL that is posted to. */
  readonly url: string;
  /** The scheme alone decided about TLS. */
  readonly decidesTls: boolean;
  /** What of the text has no effect. */
  readonly warnings: readonly string[];
}

const form = "must be host:port, or a URL of http://, https:// or grpc://";
const registered = { grpc: 4317, "http/protobuf": 4318 };

/**
 * Where a collector is: `host`, `host:port`, `grpc://`, `http://` or `https://`; IPv6 in brackets. A host without a port
 * gets OTLP's own, but over http/protobuf a URL means its scheme's, as OpenTelemetry's specification has it.
 * @returns or, in words that show nothing of the text, what is wrong with it: it may hold credentials.
 */
export function otlpEndpoint(text: string, rules: EndpointRules): OtlpEndpoint | { readonly fault: string } {
  const [, givenScheme, authority = "", rest = ""] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#\s]*)([/?#]\S*)?$/i.exec(text) ?? [];
  const scheme = givenScheme?.toLowerCase();
  if (scheme !== undefined && !["http", "https", "grpc"].includes(scheme))
    return { fault: `${form}, not of ${scheme}://` };
  if (authority.includes("@"))
    return { fault: "must not carry credentials before an @; headers or header_files carry them" };
  const port = portOf(authority);
  const isUrl = scheme === "http" || scheme === "https";
  if (port === undefined || !URL.canParse(`http://${authority}`)) return { fault: form };
  if (rest.includes("#") || (rest.includes("?") && !isUrl)) return { fault: `${form}, without ? and #` };

  const implied = isUrl && port !== registered.grpc ? "http/protobuf" : "grpc";
  const protocol = scheme === "grpc" ? "grpc" : (rules.protocol ?? implied);
  const warnings =
    scheme === "grpc" && rules.protocol === "http/protobuf"
      ? ["grpc:// means gRPC; the protocol http/protobuf has no effect"]
      : [];
  const secure = scheme === "https" || (scheme !== "http" && !rules.insecure);
  const bare = port === 0 && !(isUrl && protocol === "http/protobuf");
  const url = new URL(
    `${secure ? "https" : "http"}://${authority}${bare ? `:${registered[protocol]}` : ""}${rest}`,
  );
  if (protocol === "grpc") {
    if (url.pathname !== "/" || url.search !== "")
      warnings.push("the path has no effect: gRPC calls go to host and port");
    return { protocol, url: url.origin, decidesTls: isUrl, warnings };
  }
  const { pathname } = url;
  if (rules.tracesPath === "append") {
    if (/\/v1\/traces\/?$/.test(pathname))
      warnings.push(
        "ends in /v1/traces, and gets it once more; OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is the one used as it is",
      );
    url.pathname = `${pathname.replace(/\/+$/, "")}/v1/traces`;
  } else if (rules.tracesPath === "default" && pathname === "/") url.pathname = "/v1/traces";
  return { protocol, url: url.href, decidesTls: isUrl, warnings };
}

/** 0 where there is none; undefined for what is no `host` or `host:port`. */
function portOf(authority: string): number | undefined {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::([0-9]{1,5}))?$/i.exec(authority) ?? [];
  if (host === undefined) return undefined;
  if (port === undefined) return 0;
  return Number(port) >= 1 && Number(port) <= 65_535 ? Number(port) : undefined;
}

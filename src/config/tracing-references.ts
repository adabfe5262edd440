import { checkCustomAttributes } from "./custom-attributes.ts";
import { exportHeaderFault, isHeaderName, recordedHeaderFault } from "./header-names.ts";
import { expandedAt, held, isDefault } from "./origins.ts";
import { otlpEndpoint } from "./otlp-endpoint.ts";
import type { Report } from "./problem.ts";
import type { Config, Tracing } from "./schema.ts";

const tracingPath = ["observability", "tracing"];
const exporterPath = [...tracingPath, "exporter"];

/** Checks between the keys of tracing. Values that `OTEL_*` variables change are looked at again when they are read. */
export function checkTracing({ observability: { tracing } }: Config, report: Report): void {
  const { exporter } = tracing;
  // A file that does not trace may keep an endpoint it does not use.
  if (tracing.enabled) checkEndpoint(exporter, report);
  checkHeaders(exporter, report);
  const pairs = [["cert_file", "key_file"] as const, ["key_file", "cert_file"] as const];
  for (const [one, other] of pairs) {
    if (exporter.tls[one] !== undefined && exporter.tls[other] === undefined)
      report.problem([...exporterPath, "tls", one], `needs ${other} as well`);
  }
  checkLimits(exporter, report);
  const { type, rate } = tracing.sampling;
  if (rate !== 1 && type !== "probabilistic") {
    const message = `has no effect with type: ${type}; write type: probabilistic`;
    report.warn(["observability", "tracing", "sampling", "rate"], message);
  }
  checkCustomAttributes(tracing, report);
  checkContent(tracing, report);
}

function checkEndpoint({ endpoint, insecure, protocol, tls }: Tracing["exporter"], report: Report): void {
  if (endpoint === undefined) return;
  const path = [...exporterPath, "endpoint"];
  const found = otlpEndpoint(endpoint, { protocol, insecure, tracesPath: "default" });
  if ("fault" in found) {
    report.problem(path, found.fault);
    return;
  }
  if (found.protocol === "grpc" && protocol === "http/protobuf") {
    report.problem(path, "grpc:// contradicts protocol: http/protobuf; drop one of them");
    return;
  }
  for (const warning of found.warnings) report.warn(path, warning);
  const isSecure = found.url.startsWith("https:");
  if (isSecure && insecure) {
    report.problem(path, "https:// contradicts insecure: true; drop one of them");
  }
  const file = (["ca_file", "cert_file", "key_file"] as const).find((key) => tls[key] !== undefined);
  if (!isSecure && file !== undefined) {
    const why = found.decidesTls ? "the endpoint is http://" : "insecure is true";
    report.problem([...exporterPath, "tls", file], `has no effect: ${why}, so there is no TLS`);
  }
}

function checkHeaders({ headers, header_files }: Tracing["exporter"], report: Report): void {
  const first = new Map<string, string>();
  const tables = [["headers", headers] as const, ["header_files", header_files] as const];
  for (const [table, entries] of tables) {
    for (const [i, [name, value]] of Object.entries(entries).entries()) {
      if (table === "headers" && !isHeaderName(name)) {
        // Most often `"name: value"` in one pair of quotes, so the key is as secret as the value.
        const message = "its key is not a header name; the key is the name alone, without the value";
        report.problem([...exporterPath, table, i], message, "key");
        continue;
      }
      const path = [...exporterPath, table, name];
      const fault = exportHeaderFault(name, table === "headers" ? value : "");
      if (fault !== undefined) report.problem(path, `"${name}" ${fault}`, "key");
      const earlier = first.get(name.toLowerCase());
      if (earlier === undefined) first.set(name.toLowerCase(), `${table}: ${name}`);
      else report.problem(path, `"${name}" is given twice; ${earlier} is the same header`, "key");
    }
  }
}

/** Two written values that contradict each other; a default gives way. */
function checkLimits(exporter: Tracing["exporter"], report: Report): void {
  const { retry, batch, queue } = exporter;
  const inOrder = (inner: Limit, outer: Limit) => {
    const [value, limit] = [inner, outer].map(({ holder, key }) => holder[key]) as [number, number];
    // A value that was refused is missing here.
    if (!(value > limit) || [inner, outer].some(({ holder, key }) => isDefault(holder, key))) return;
    const message = `must be at most ${outer.path.join(".")} (${shown(outer, limit)}), not ${shown(inner, value)}`;
    report.problem([...exporterPath, ...inner.path], message);
  };
  inOrder(limitOf(retry, "initial_backoff_ms", "retry"), limitOf(retry, "max_backoff_ms", "retry"));
  inOrder(limitOf(batch, "max_spans", "batch"), limitOf(queue, "max_spans", "queue"));
  inOrder(limitOf(exporter, "timeout_ms"), limitOf(batch, "timeout_ms", "batch"));
}

interface Limit {
  readonly holder: Readonly<Record<string, unknown>>;
  readonly key: string;
  /** Below the exporter. */
  readonly path: readonly string[];
}

const limitOf = <T extends object>(holder: T, key: keyof T & string, ...section: string[]): Limit => ({
  holder: holder as Readonly<Record<string, unknown>>,
  key,
  path: [...section, key],
});

function shown({ holder, key }: Limit, value: number): string {
  const expanded = expandedAt(holder, key);
  return expanded ? held(expanded) : String(value);
}

function checkContent({ enabled, user_id, capture_content }: Tracing, report: Report): void {
  const { header, hash, hash_key } = user_id;
  const fault = header === undefined ? undefined : recordedHeaderFault(header, hash);
  if (fault !== undefined)
    report.problem([...tracingPath, "user_id", "header"], `${JSON.stringify(header)} ${fault}`);
  if (hash_key !== undefined && hash === false)
    report.warn([...tracingPath, "user_id", "hash_key"], "has no effect with hash: false", "key");
  if (enabled && capture_content) {
    const message = "is on: prompts and answers leave with the spans, and whoever reads traces reads them";
    report.warn([...tracingPath, "capture_content"], message, "key");
  }
}

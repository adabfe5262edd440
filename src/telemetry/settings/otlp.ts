import type { Tracing } from "../../config/schema.ts";
import type { EffectiveValue, OtlpSettings } from "../settings.ts";
import { type Choice, type Choices, isVariable, wordOf } from "./choices.ts";
import { headers } from "./headers.ts";
import type { Limits } from "./limits.ts";
import { shownUrl, type Target, target } from "./target.ts";
import { otlp as names } from "./variables.ts";

const compressions: Readonly<Record<string, OtlpSettings["compression"]>> = { none: "none", gzip: "gzip" };

/** How spans leave over OTLP, and each part's origin. */
export function otlp(
  policy: Tracing["exporter"],
  limits: Limits,
  choices: Choices,
): { settings: OtlpSettings; effective: EffectiveValue[] } {
  const to = target(policy, choices);
  const certificates = tls(policy.tls, to, choices);
  const sent = [...headers(policy, choices)];
  const part = (isFile: boolean) =>
    Object.fromEntries(
      sent.filter(([, header]) => header.isFile === isFile).map(([name, { value }]) => [name, value]),
    );
  const compression = choices.pick(
    names("COMPRESSION"),
    wordOf(compressions),
    "exporter.compression",
    policy.compression,
  );
  return {
    settings: {
      protocol: to.protocol.value,
      url: to.url.value,
      headers: part(false),
      headerFiles: part(true),
      tls: Object.fromEntries(Object.entries(certificates).map(([key, { value }]) => [key, value])),
      compression: compression.value,
      timeoutMs: limits.timeout_ms.value,
      retry: {
        maxAttempts: limits["retry.max_attempts"].value,
        initialBackoffMs: limits["retry.initial_backoff_ms"].value,
        maxBackoffMs: limits["retry.max_backoff_ms"].value,
      },
      batch: {
        maxSpans: limits["batch.max_spans"].value,
        delayMs: limits["batch.delay_ms"].value,
        timeoutMs: limits["batch.timeout_ms"].value,
      },
    },
    effective: [
      { key: "protocol", ...to.protocol },
      { key: "endpoint", value: shownUrl(to.url.value), from: to.url.from },
      { key: "tls", value: to.isSecure.value ? "on" : "off", from: to.isSecure.from },
      ...Object.entries(certificates).map(([key, choice]) => ({
        key: `tls.${key.replace("File", "_file")}`,
        ...choice,
      })),
      ...sent.map(([name, { value, isFile, from }]) => ({
        key: `headers.${name}`,
        value: isFile ? `in ${value}` : "set",
        from,
      })),
      { key: "compression", ...compression },
    ],
  };
}

type Certificates = Partial<Record<"caFile" | "certFile" | "keyFile", Choice<string>>>;

/** The certificates in force: none without TLS, and the router's own only with its key. */
function tls(policy: Tracing["exporter"]["tls"], to: Target, choices: Choices): Certificates {
  const pick = (name: string, key: keyof typeof policy) =>
    choices.variable(names(name), (text) => text) ??
    (policy[key] === undefined ? undefined : choices.file(`exporter.tls.${key}`, policy[key]));
  const caFile = pick("CERTIFICATE", "ca_file");
  const certFile = pick("CLIENT_CERTIFICATE", "cert_file");
  const keyFile = pick("CLIENT_KEY", "key_file");
  const given = [caFile, certFile, keyFile].filter((file) => file !== undefined);
  if (!to.isSecure.value) {
    const origins = given.map(({ from }) => (isVariable(from) ? from : "exporter.tls"));
    if (given.length > 0)
      choices.warnings.push(
        `${[...new Set(origins)].join(", ")}: no effect, the collector is spoken to without TLS (${to.isSecure.from})`,
      );
    return {};
  }
  const alone = certFile && !keyFile ? certFile : keyFile && !certFile ? keyFile : undefined;
  if (alone)
    choices.warnings.push(`${alone.from} is ignored: a client certificate and its key need each other`);
  return { ...(caFile && { caFile }), ...(certFile && keyFile && { certFile, keyFile }) };
}

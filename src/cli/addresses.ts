import { isIPv6 } from "node:net";
import { UsageError } from "./command.ts";

export type Place = { readonly address: string; readonly port: number } | { readonly path: string };

/** `host:port`, `[::1]:port` or `unix:/path`; undefined where it is none of these. An IPv6 host loses its brackets. */
export function placeOf(text: string): Place | undefined {
  const path = /^unix:(?:\/\/)?(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { path };
  const [, host, port] = /^(\[[^\]\s]+\]|[^\s/:[\]]+):([0-9]{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  const address = host.replace(/^\[(.*)\]$/, "$1");
  return address.includes(":") && !isIPv6(address) ? undefined : { address, port: Number(port) };
}

/** Of an option. Throws a `UsageError` that names the option and the form. */
export function placeGiven(option: string, text: string, forms = "host:port or unix:/path"): Place {
  const place = placeOf(text);
  if (place === undefined || (!forms.includes("unix") && "path" in place))
    throw new UsageError(`--${option} must be ${forms}, not "${text}"`);
  return place;
}

/** Where a server that listens there is reached from its own machine: all addresses mean the loopback one. */
export function reachable(place: Place): Place {
  if ("path" in place) return place;
  if (place.address === "0.0.0.0") return { ...place, address: "127.0.0.1" };
  return place.address === "::" ? { ...place, address: "::1" } : place;
}

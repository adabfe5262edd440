import { isIP } from "node:net";

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** Why this is not the bare address of a server, in words that say what to write; undefined if it is one. */
export function addressFault(address: string): string | undefined {
  if (isIP(address) !== 0) return undefined;
  const shown = JSON.stringify(address);
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address)?.[0];
  if (scheme !== undefined) {
    return `must be an IP address or a DNS name without a scheme: write ${JSON.stringify(bare(address.slice(scheme.length)))}, not ${shown}`;
  }
  if (address.includes("/"))
    return `must be an IP address or a DNS name without a path: write ${JSON.stringify(bare(address))}, not ${shown}`;
  if (/^\[.*\]$/.test(address)) return `must be an IPv6 address without brackets, not ${shown}`;
  if (/:[0-9]+$/.test(address)) {
    return `must not carry a port: write ${JSON.stringify(bare(address))} and set \`port: ${address.slice(address.lastIndexOf(":") + 1)}\`, not ${shown}`;
  }
  // Digits and dots only is a mistyped IPv4 address, never a DNS name.
  const labels = address.replace(/\.$/, "").split(".");
  if (address.length <= 253 && labels.every((part) => label.test(part)) && !/^[0-9.]+$/.test(address))
    return undefined;
  return `must be an IP address or a DNS name, not ${shown}`;
}

function bare(rest: string): string {
  return rest
    .replace(/\/.*$/s, "")
    .replace(/:[0-9]+$/, "")
    .replace(/^\[|\]$/g, "");
}

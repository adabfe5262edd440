import { isIPv4, isIPv6 } from "node:net";
import type { Entity } from "./encode.ts";
import { found } from "./recognise-numbers.ts";

const LOCAL = /[\p{L}\p{N}._%+'-]/u;
const DOMAIN = /[\p{L}\p{N}.-]/u;
const ALNUM = /[A-Za-z0-9]/;
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;

/** Walks from `i` while `allowed` fits, at most `max` steps of `step`. Returns the first place that does not fit. */
function reach(text: string, i: number, step: 1 | -1, allowed: RegExp, max: number): number {
  let at = i;
  for (let n = 0; n < max && at >= 0 && at < text.length && allowed.test(text.charAt(at)); n++) at += step;
  return at;
}

const HOST = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,40})$/iu;

// Of a run of domain characters, the part up to a dot at the end of a sentence.
function hostIn(run: string): string {
  const ascii = /^[A-Za-z0-9.-]*/.exec(run)?.[0] ?? "";
  const host = ascii.replace(/[.-]+$/, "");
  return HOST.test(host) ? host : "";
}

export function emails(text: string): Entity[] {
  const out: Entity[] = [];
  let low = 0; // no local part reaches back over the address before it, which also bounds the work
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (!LOCAL.test(text.charAt(at - 1)) || !ALNUM.test(text.charAt(at + 1))) continue;
    let start = Math.max(low, reach(text, at - 1, -1, LOCAL, MAX_LOCAL) + 1);
    // In running Chinese nothing separates the address from the words before it.
    for (let i = start; i < at; i++) if (/[\u3000-\u9fff]/.test(text.charAt(i))) start = i + 1;
    while (start < at && /[.'%+-]/.test(text.charAt(start))) start += 1;
    const host = hostIn(text.slice(at + 1, reach(text, at + 1, 1, DOMAIN, MAX_DOMAIN)));
    low = at + 1;
    if (start >= at || host === "" || text.charAt(at - 1) === ".") continue;
    low = at + 1 + host.length;
    out.push(found("EMAIL_ADDRESS", start, low, 1));
  }
  return out;
}

const V4 = /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)/g;
const VERSION = /(?:versions?|ver\.?|release|版本|v)[\s:]*$/i;
const V6 = /(?<![0-9A-Za-z:.])[0-9A-Fa-f:.]{3,}(?![0-9A-Za-z:])/g;
const MAX_V6 = 45;

export function addresses(text: string): Entity[] {
  const out: Entity[] = [];
  for (const m of text.matchAll(V4)) {
    const named = VERSION.test(text.slice(Math.max(0, m.index - 12), m.index));
    if (isIPv4(m[0]) && !named) out.push(found("IP_ADDRESS", m.index, m.index + m[0].length, 0.95));
  }
  if (!text.includes(":")) return out;
  for (const m of text.matchAll(V6)) {
    if (m[0].length > MAX_V6 + 1) continue;
    const value = m[0].replace(/\.+$/, "").replace(/([^:]):$/, "$1");
    const groups = value.split(":").filter((g) => g !== "").length;
    // "a::b" is a scope in a dozen programming languages.
    if ((groups < 3 && value !== "::1") || !isIPv6(value)) continue;
    out.push(found("IP_ADDRESS", m.index, m.index + value.length, 0.95));
  }
  return out;
}

const WWW = /(?<![\w@.-])www\./gi;
const BARE =
  /(?<![\w@.-])(?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|org|edu|gov|info|biz|cn|de|fr|jp|eu|uk|net)(?![\w-]|\.\w)/gi;

export function domains(text: string): Entity[] {
  const out: Entity[] = [];
  const add = (start: number, score: number): void => {
    const host = hostIn(text.slice(start, reach(text, start, 1, DOMAIN, MAX_DOMAIN)));
    if (host !== "" && !isIPv4(host)) out.push(found("DOMAIN_NAME", start, start + host.length, score));
  };
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 3)) add(at + 3, 0.9);
  if (!text.includes(".")) return out;
  for (const m of text.matchAll(WWW)) add(m.index, 0.9);
  for (const m of text.matchAll(BARE)) if (!/^asp\.net$/i.test(m[0])) add(m.index, 0.6);
  return out;
}

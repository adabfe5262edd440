import { isIPv4, isIPv6 } from "node:net";
import type { Entity } from "./encode.ts";
import { type Context, found } from "./recognise-context.ts";
import { isAddressed, isNumbering, isSmall, PLAIN, USUAL } from "./recognise-numbered.ts";

const V4 = /(?<![\w.])(?<!(?<!\.\d{1,3})-)\d{1,3}(?:\.\d{1,3}){3}(?!\w|-(?!\d{1,3}\.)|\.\d)/g;
// A label may end in a colon right before it, and a zone of the machine may follow.
const V6 =
  /(?:(?<![0-9A-Za-z:.])|(?<=[g-zG-Z\u0080-\uffff]:)|(?<=\baddr(?:ess)?:))[0-9A-Fa-f:.]{3,}(?![0-9A-Za-z:])/g;
const ZONE = /^%[A-Za-z][\w.-]{0,14}/;
const MAX_V6 = 45;
/** "::1" is a pseudo-element's name too, so alone it is believed only in brackets or where the text speaks of nets. */
const LOOPBACK =
  /(?<![\w)\]])\[$|\b(?:ip(?:v6)?|hosts?|localhost|loopback|bind|bound|listen\w*|ping\w*|ssh|addr\w*|address\w*|servers?|connect\w*|port|dns|AAAA|resolv\w*|interface|from|client|remote|on|at)\b|地址|监听|本机/i;
const BEFORE = 40;
const AFTER = 30;
const PREFIX = /^(?:fe80|f[cd][0-9a-f]{2}|ff0[0-9a-f]|2[0-9a-f]{3}):.*\d/i;

export function addresses({ text }: Context): Entity[] {
  const six = text.includes(":") ? ofVersion6(text) : [];
  const out: Entity[] = [...six];
  let over = 0;
  for (const m of text.matchAll(V4)) {
    // The last part of one of version 6 is none by itself.
    while (over < six.length && (six[over] as Entity).end <= m.index) over += 1;
    if (m.index >= (six[over]?.start ?? text.length)) continue;
    if (isIPv4(m[0]) && isAddress(text, m.index, m[0])) {
      out.push(found("IP_ADDRESS", m.index, m.index + m[0].length, 0.95));
    }
  }
  return out;
}

/** Small numbers need a word or a sign of an address beside them; others only nothing that numbers versions and sections. */
function isAddress(text: string, start: number, value: string): boolean {
  const before = text.slice(Math.max(0, start - BEFORE), start);
  const after = text.slice(start + value.length, start + value.length + AFTER);
  if (PLAIN.test(value)) return true;
  if (isNumbering(before, value, after)) return false;
  return USUAL.test(value) || !isSmall(value) || isAddressed(before, after);
}

function ofVersion6(text: string): Entity[] {
  const out: Entity[] = [];
  for (const m of text.matchAll(V6)) {
    if (m[0].length > MAX_V6 + 1) continue;
    const value = m[0].replace(/\.+$/, "").replace(/([^:]):$/, "$1");
    const groups = value.split(":").filter((g) => g !== "").length;
    // "a::b" is a scope in a dozen programming languages.
    const known = value === "::1" || value.includes(".") || PREFIX.test(value);
    if ((groups < 3 && !known) || !isIPv6(value)) continue;
    // "1:2:3:4:5:6:7:8" are ratios and times.
    if (/^(?:\d{1,2}:){7}\d{1,2}$/.test(value)) continue;
    const end = m.index + value.length;
    if (value === "::1" && !LOOPBACK.test(text.slice(Math.max(0, m.index - BEFORE), m.index))) continue;
    out.push(
      found("IP_ADDRESS", m.index, end + (ZONE.exec(text.slice(end, end + 16))?.[0].length ?? 0), 0.95),
    );
  }
  return out;
}

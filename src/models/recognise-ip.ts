import { isIPv4, isIPv6 } from "node:net";
import type { Entity } from "./encode.ts";
import { type Context, found } from "./recognise-context.ts";

const V4 = /(?<![\w.])(?<!(?<!\.\d{1,3})-)\d{1,3}(?:\.\d{1,3}){3}(?!\w|-(?!\d{1,3}\.)|\.\d)/g;
// "3.5.2.1 Results" at the start of a line.
const HEADING = /(?:^|\n)[\s#]*$/;
const NUMBERED =
  /(?:versions?|\bv ?=|ver\.?|releases?|build|firmware|section|sect\.|chapter|clause|article|appendix|figure|table|upgraded? to|版本|章节|第|v|§)[\s:]*$/i;
const VERSION = /^\s{0,2}(?:is|was|are)?\s{0,2}(?:the |a |our )?(?:\w+ )?(?:version|release|build)\b/i;
// A label may end in a colon right before it, and a zone of the machine may follow.
const V6 =
  /(?:(?<![0-9A-Za-z:.])|(?<=[g-zG-Z\u0080-\uffff]:)|(?<=\baddr(?:ess)?:))[0-9A-Fa-f:.]{3,}(?![0-9A-Za-z:])/g;
const ZONE = /^%[A-Za-z][\w.-]{0,14}/;
const MAX_V6 = 45;
const PREFIX = /^(?:fe80|f[cd][0-9a-f]{2}|ff0[0-9a-f]|2[0-9a-f]{3}):.*\d/i;

export function addresses({ text }: Context): Entity[] {
  const six = text.includes(":") ? ofVersion6(text) : [];
  const out: Entity[] = [...six];
  let over = 0;
  for (const m of text.matchAll(V4)) {
    const named = NUMBERED.test(text.slice(Math.max(0, m.index - 14), m.index));
    const small = m[0].split(".").every((part) => Number(part) <= 30);
    const heading =
      small &&
      HEADING.test(text.slice(Math.max(0, m.index - 8), m.index)) &&
      /^\.? [A-Z\u4e00-\u9fff]/.test(text.slice(m.index + m[0].length, m.index + m[0].length + 3));
    const version = small && VERSION.test(text.slice(m.index + m[0].length, m.index + m[0].length + 40));
    // The last part of one of version 6 is none by itself.
    while (over < six.length && (six[over] as Entity).end <= m.index) over += 1;
    if (m.index >= (six[over]?.start ?? text.length)) continue;
    if (isIPv4(m[0]) && !named && !heading && !version)
      out.push(found("IP_ADDRESS", m.index, m.index + m[0].length, 0.95));
  }
  return out;
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
    out.push(
      found("IP_ADDRESS", m.index, end + (ZONE.exec(text.slice(end, end + 16))?.[0].length ?? 0), 0.95),
    );
  }
  return out;
}

import type { Entity } from "./encode.ts";
import { type Context, found } from "./recognise-context.ts";
import { DOMAIN, hostIn, MAX_DOMAIN, reach } from "./recognise-host.ts";

const LOCAL = /[\p{L}\p{N}._%+'’-]/u;
const START = /[\p{L}\p{N}]/u;
const MAX_LOCAL = 64;
const HAN = /\p{Script=Han}/u;
const FILE = /\.(?:png|jpe?g|gif|svg|webp|bmp|css|js|ts|json|html?|txt|pdf)$/i;

/** Ends of names within programs, none of which is a top-level domain. */
const PART =
  /\.(?:values?|keys?|index|length|size|types?|attrs?|props?|nodes?|items?|fields?|func|function|method|arrays?|list|string|self|this|obj|object|row|column|count|parent|child(?:ren)?|token|user|path|file|config|py|rb|rs|exe|dll)$/i;
/** An address instead of a name. */
const LITERAL = /^\[(?:IPv6:[0-9a-f:.]{2,45}|\d{1,3}(?:\.\d{1,3}){3})\]/i;
/** Where only repositories are fetched by the name "git". */
const FORGE = /(?:^|\.)(?:git\w*|bitbucket|codeberg|gitea|sourcehut|sr)\.[a-z]/i;

const AT = /@|%40/g;
/** "john@mail dot com", as it is dictated. */
const SPOKEN =
  /^[A-Za-z0-9-]{1,63}(?: dot | ?\[dot\] ?| ?\(dot\) ?)(?:com|org|net|edu|gov|io|co|cn|de|uk|fr)(?!\w)/i;

// With the signs in words, to keep collectors off, or as it is dictated.
const WRITTEN =
  /(?<![\w.])[A-Za-z0-9._%+-]{1,64}(?: (?:dot|underscore|dash|hyphen) [A-Za-z0-9_+-]{1,64}){0,3} ?(?:\[at\]|\(at\)|\{at\}| at (?=[A-Za-z0-9-]{1,63} dot )) ?[A-Za-z0-9-]{1,63}(?: ?(?:\[dot\]|\(dot\)|\{dot\}| dot |\.) ?[A-Za-z0-9-]{2,24}){1,3}(?!\w)/gi;
/** "find us at acme dot com" is a site, and "good at polka dot patterns" nothing. */
const NO_MAIL =
  /^(?:me|us|it|him|her|them|you|is|are|was|be|look|looking|good|bad|site|page|here|online|shop|store|available|hosted|found|based|live|working|order|more|read|available|up|out) at |^[^[({]* at (?!.* dot (?:com|org|net|edu|gov|info|io|co|ai|app|dev|me|us|eu|cn|de|uk|fr|es|it|nl|ru|jp|kr|in|br|ca|au|ch|se|pl)$)/i;

/** Addresses in the usual form, with a quoted name, outside ASCII, and with "at" and "dot" in words. */
export function emails({ text }: Context): Entity[] {
  const out: Entity[] = [];
  let low = 0; // no local part reaches back over the address before it, which also bounds the work
  for (const m of text.matchAll(AT)) {
    const at = m.index;
    const after = at + m[0].length;
    const literal = LITERAL.exec(text.slice(after, after + 60))?.[0] ?? "";
    if (literal === "" && !START.test(text.charAt(after))) continue;
    const rest = text.slice(after, reach(text, after, 1, DOMAIN, MAX_DOMAIN));
    const host = literal || hostIn(rest) || (SPOKEN.exec(text.slice(after, after + 80))?.[0] ?? "");
    const quote = quoted(text, at);
    if (quote >= low && host !== "") {
      low = after + host.length;
      out.push(found("EMAIL_ADDRESS", quote, low, 1));
      continue;
    }
    if (!LOCAL.test(text.charAt(at - 1))) continue;
    let start = Math.max(low, reach(text, at - 1, -1, LOCAL, MAX_LOCAL) + 1);
    // In running Chinese nothing separates the address from the words before it, but where all of it is Chinese.
    if (!HAN.test(host))
      for (let i = start; i < at; i++) if (/[\u3000-\u9fff]/.test(text.charAt(i))) start = i + 1;
    while (start < at && /[.'’%+-]/.test(text.charAt(start))) start += 1;
    low = after;
    if (start >= at || host === "" || text.charAt(at - 1) === "." || FILE.test(host) || PART.test(host))
      continue;
    low = after + host.length;
    // The form of a repository's address: "git@host:path".
    if (text.slice(start, at) === "git" && (text.charAt(low) === ":" || FORGE.test(host))) continue;
    // "scheme://user:password@host" is an address of another kind.
    if (/:\/\/[^\s@/]*$/.test(text.slice(Math.max(0, start - 80), start))) continue;
    out.push(found("EMAIL_ADDRESS", start, low, 1));
  }
  if (!/\bat\b/i.test(text)) return out;
  for (const m of text.matchAll(WRITTEN)) {
    if (!m[0].includes("@") && !NO_MAIL.test(m[0]))
      out.push(found("EMAIL_ADDRESS", m.index, m.index + m[0].length, 0.9));
  }
  return out;
}

/** Where a name in quotes right before the sign begins, else -1. */
function quoted(text: string, at: number): number {
  if (text.charAt(at - 1) !== '"') return -1;
  const start = text.lastIndexOf('"', at - 2);
  return start >= at - MAX_LOCAL && /^[^\n@,:{}]+$/.test(text.slice(start + 1, at - 1)) ? start : -1;
}

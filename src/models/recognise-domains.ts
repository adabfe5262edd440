import { isIPv4 } from "node:net";
import { isKnown } from "./disguise/english.ts";
import type { Entity } from "./encode.ts";
import { type Context, found } from "./recognise-context.ts";
import { DOMAIN, hostIn, MAX_DOMAIN, OTHER_TOP, reach } from "./recognise-host.ts";

const WWW = /(?<![\w@.-])www\./gi;
const PROPERTY =
  "me|us|to|it|at|be|in|is|no|so|page|link|live|news|world|space|media|games|email|art|top|pro|one|fun|land|zone|life|design|club";
const WORDY = `info|biz|net|io|co|ai|app|dev|xyz|shop|site|online|store|tech|tv|gg|ly|cc|sh|blog|cloud|website|agency|digital|studio|travel|museum|${PROPERTY}`;
const COUNTRIES =
  "cn|de|fr|jp|eu|uk|ca|au|nl|se|ch|ru|br|kr|hk|tw|sg|pl|cz|dk|fi|nz|za|mx|es|pt|ie|gr|ro|hu|ua|il|tr|ar|cl|sk|hr|lt|lv|ee|th|vn|ae|google|example";
const LETTERS = "\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}";
const BARE = new RegExp(
  `(?<![${LETTERS}\\d_@./%-])(?:[${LETTERS}\\d-]{1,63}\\.){1,4}(?:com|org|edu|gov|${WORDY}|${COUNTRIES}|${OTHER_TOP})` +
    `(?![${LETTERS}\\d_@-]|\\.[${LETTERS}\\d_])`,
  "giu",
);
/** Suffixes that are words or parts of programs too. */
const DOUBTFUL = new RegExp(`^(?:[a-z_][a-z0-9_]*\\.)+(?:${WORDY}|${COUNTRIES})$`, "i");
/** Suffixes that are parts of programs, and words of sentences, more than ends of hosts. */
const ENDS_PROPERTY = new RegExp(`\\.(?:${PROPERTY})$`, "i");
/** What programs call their parts, beside common words. */
const PROGRAM =
  /^(?:window|document|settings?|configs?|items?|entry|entries|map|array|list|self|this|node|object|options?|params?|args?|props?|state|store|request|response|result|session|router|module|exports?|process|console|math|string|buffer|stream|client|parent|child|element|event|target|button|widget|template|sample|example|output|input|table|column|row|cell|index|record|query|schema|model|logger|player|sprite|page|form|cursor|thread|device|package|plugin|instance|context|payload|message|token|vector|matrix|frame|canvas|layout|theme|style|env|readme|docker-compose|makefile)$/;
const ENDS_WORDY = new RegExp(`\\.(?:${WORDY})$`, "i");
/** Names that countries keep for companies, schools and so on. */
const SECOND = /\.(?:com|co|org|net|gov|edu|ac)\.[a-z]{2}$/i;
const HOSTS =
  /^(?:www\d?|mail|web|m|api|app|blog|shop|en|dev|docs|my|portal|login|cdn|static|img|assets|auth|sso|git|ftp|ns\d?|mx\d?|smtp|imap|vpn|status|staging|support|help|news|download)$/;
const CONTEXT =
  /(?:visit(?:ed|ing|s)?|\b(?:un)?block(?:ed|ing|s)?|\b(?:white|black)list(?:ed)?|\b(?:dis)?allow(?:ed)?|\bdeny|\bbann?(?:ed)?|\bfilter|\bread(?:ing)?|\bbuy|\bwget|\bnslookup|\bdig|\btraceroute|\bresolve[sd]?|besuch\p{L}*|webseite|\bauf|\bbei|\bsur|\bchez|visite[rz]?|visita[r]?|p[áa]gina|sitio|сайт\p{L}*|\b(?:web)?sites?|domains?|\burls?|\bhosts?|servers?|website|webpage|homepage|\bopen|go(?:ing)? to|\bat|\bfrom|\bvia|\bon|\bsee|check(?: out)?|browse|register(?:ed)?|(?:links?|access|connect(?:ed)?|redirect(?:ed|s)?|log(?:ged)? ?in) to|whois|registrar|owner|\bdns|\bping|\bcurl|网站|域名|访问|登录|打开|网址|官网|链接|打不开|屏蔽)["'`:=]?\s{0,2}(?:is |are |to |of )?["'`(<]?$/iu;
/** What is said of a site right behind its name. */
const SAID =
  /^["'`)>]?,? (?:is (?:down|up|offline|online|blocked|registered|slow|unreachable)|legit|safe|real|(?:has )?expired|redirects|resolves|(?:web ?)?site|home ?page|domain|dns)\b/i;
// Names of programs and of their parts; a domain is written small, or all of it in capitals.
const CODE = /^(?:asp|ado|vb|system|microsoft|socket|java|kotlinx?|scala|tokio|std)\.(?:net|io)$/i;
const CAPITALS = /^[A-Z0-9.-]{5,}\.(?:COM|ORG|EDU|GOV)$/;
/** "v1.2.io", and the number of a point in a list: "1.中国 ...". */
const NUMBERED = /^(?:v?\d+(?:\.\d+)+|v\d+)\.\p{L}+$|^\d{1,2}\.[^a-z.]+$/iu;
const SCHEME = /(?<![A-Za-z])[a-z][a-z0-9+.-]{1,11}$/i;
const PATH = /[\w.~!$&'*+,;:@%/=-]/;
const MAX_PATH = 2000;
/** Below what stands in an address: a bare name may be a company's. */
const BARE_SCORE = 0.75;

/** Hosts, with scheme and path where they stand in an address; what follows `?` or `#` is no part of it. */
export function domains({ text }: Context): Entity[] {
  const out: Entity[] = [];
  let done = 0;
  const add = (from: number, host: number, score: number): void => {
    const name = hostIn(text.slice(host, reach(text, host, 1, DOMAIN, MAX_DOMAIN)));
    if (name === "" || isIPv4(name)) return;
    let end = host + name.length;
    if (/[/:]/.test(text.charAt(end)) && /[\w/]/.test(text.charAt(end + 1) || " ")) end = pathEnd(text, end);
    else if (text.charAt(end) === "/") end += 1;
    done = end;
    out.push(found("DOMAIN_NAME", from, end, score));
  };
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 3)) {
    if (at < done) continue;
    const scheme = SCHEME.exec(text.slice(Math.max(0, at - 12), at))?.[0] ?? "";
    let host = at + 3;
    const user = /^[\w.:%-]{1,80}@/.exec(text.slice(host, host + 81))?.[0].length ?? 0;
    host += user;
    add(user > 0 ? host : at - scheme.length, host, 0.9);
  }
  if (!text.includes(".")) return out;
  const urls = out.length;
  for (const m of text.matchAll(WWW)) add(m.index, m.index, 0.9);
  for (const m of text.matchAll(BARE))
    if (!isCode(m[0]) && !isPart(text, m[0], m.index)) add(m.index, m.index, BARE_SCORE);
  return outside(out, urls);
}

/** Without those after the first `count` that stand inside one of these. */
function outside(out: readonly Entity[], count: number): Entity[] {
  const first = out.slice(0, count);
  const rest = out.slice(count).sort((a, b) => a.start - b.start || b.end - a.end);
  let i = 0;
  let end = 0;
  for (const one of rest) {
    while (i < count && (out[i] as Entity).start <= one.start) end = Math.max(end, (out[i++] as Entity).end);
    if (one.start >= end) {
      first.push(one);
      end = one.end;
    }
  }
  return first;
}

/** Names of the parts of a program, or of a package, before a call or an assignment or without any word about the net. */
function isPart(text: string, name: string, start: number): boolean {
  const after = text.slice(start + name.length, start + name.length + 20);
  if (/^(?:\(|\[\w|\s?=(?!=)|\s?\+=)/.test(after)) return true;
  if (!DOUBTFUL.test(name) || SECOND.test(name)) return false;
  const labels = name.toLowerCase().split(".").slice(0, -1);
  const host = labels.length > 1 && HOSTS.test(labels[0] as string);
  if (after.startsWith("/") || host) return false;
  const plain = labels.every((label) => isKnown(label) || label.length <= 3 || PROGRAM.test(label));
  if (plain && ENDS_PROPERTY.test(name)) return true;
  if (SAID.test(after) || CONTEXT.test(text.slice(Math.max(0, start - 30), start))) return false;
  return plain || ENDS_WORDY.test(name);
}

const isCode = (name: string): boolean =>
  CODE.test(name) || NUMBERED.test(name) || (/\.[a-z]*[A-Z]\w*$/.test(name) && !CAPITALS.test(name));

function pathEnd(text: string, from: number): number {
  let end = reach(text, from, 1, PATH, MAX_PATH);
  while (end > from && /[.,;:!'*]/.test(text.charAt(end - 1))) end -= 1;
  return end;
}

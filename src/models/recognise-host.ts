/** A unit of a host's name, in any script. */
export const DOMAIN = /[\p{L}\p{N}.-]/u;
export const MAX_DOMAIN = 253;

/** Walks from `i` while `allowed` fits, at most `max` steps of `step`. Returns the first place that does not fit. */
export function reach(text: string, i: number, step: 1 | -1, allowed: RegExp, max: number): number {
  let at = i;
  for (let n = 0; n < max && at >= 0 && at < text.length && allowed.test(text.charAt(at)); n++) at += step;
  return at;
}

/** Top-level domains outside ASCII. */
export const OTHER_TOP =
  "рф|рус|укр|бел|бг|мкд|срб|қаз|онлайн|сайт|москва|орг|中国|中國|公司|网络|网址|网站|香港|台灣|台湾|测试|測試|新加坡|澳门|한국|みんな|ελ|भारत";
const ASCII = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,40})$/i;
const WIDE = new RegExp(
  `^(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,61}[\\p{L}\\p{N}])?\\.)+?(?:(?:[a-z]{2,24}|xn--[a-z0-9-]{2,40})(?![\\p{Script=Latin}0-9-]|\\.[\\p{L}\\p{N}])|${OTHER_TOP})`,
  "iu",
);
/** Scripts that are written without spaces, so that a word right behind a host is no part of it. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Of a run of domain characters, the host at its start, up to a dot at the end of a sentence; "" if there is none. */
export function hostIn(run: string): string {
  const ascii = /^[A-Za-z0-9.-]*/.exec(run)?.[0] ?? "";
  const host = ascii.replace(/[.-]+$/, "");
  const next = run.slice(ascii.length);
  if (ASCII.test(host) && (next === "" || UNSPACED.test(next))) return host;
  return WIDE.exec(run)?.[0] ?? (ASCII.test(host) ? host : "");
}

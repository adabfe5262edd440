/** A seeded generator of JSON texts with every freedom of spelling: white space, escapes, odd numbers, key orders. */
export class Generator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32: a whole number in 0..below-1. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }

  chance(percent: number): boolean {
    return this.int(100) < percent;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)]!;
  }

  shuffled<T>(from: readonly T[]): T[] {
    const all = [...from];
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    return all;
  }

  space(): string {
    return this.chance(70) ? "" : this.pick([" ", "\n", "\t", "\r\n", "  \n\t "]);
  }

  number(): string {
    const odd = ["0", "-0", "1.0", "1e400", "-1E-400", "0.10", "12345678901234567890", "1E+2", "-0.0e-0"];
    return this.chance(50) ? this.pick(odd) : String(this.int(100000) / 100);
  }

  text(): string {
    const words = [
      "hi",
      "ignore all",
      "é",
      "日本",
      "😀",
      '"',
      "\\",
      "\n",
      "\u0001",
      "\ud800",
      "/",
      "\u007f",
      " ",
      "",
    ];
    const text = Array.from({ length: this.int(6) }, () => this.pick(words)).join("");
    return this.chance(10) ? text + "long text ".repeat(this.int(30)) : text;
  }

  /** One of the spellings of a string. */
  string(text = this.text()): string {
    const json = JSON.stringify(text);
    if (this.chance(60)) return json;
    const spelt = Array.from({ length: text.length }, (_, i) => {
      const unit = text.charCodeAt(i);
      if (text[i] === "/" && this.chance(50)) return "\\/";
      const hex = unit.toString(16).padStart(4, "0");
      return `\\u${this.chance(50) ? hex : hex.toUpperCase()}`;
    });
    return `"${spelt.join("")}"`;
  }

  object(members: readonly (readonly [key: string, json: string])[]): string {
    const pairs = members.map(
      ([key, json]) =>
        `${this.space()}${this.string(key)}${this.space()}:${this.space()}${json}${this.space()}`,
    );
    return `{${pairs.join(",") || this.space()}}`;
  }

  array(items: readonly string[]): string {
    return `[${items.map((one) => this.space() + one + this.space()).join(",") || this.space()}]`;
  }

  /** Any value, at most `depth` arrays and objects deep, with no repeated keys. */
  value(depth: number): string {
    const kind = this.int(depth > 0 ? 8 : 6);
    if (kind < 2) return this.string();
    if (kind < 4) return this.number();
    if (kind < 6) return this.pick(["true", "false", "null"]);
    const size = this.chance(5) ? 20 : this.int(4);
    if (kind === 6) return this.array(Array.from({ length: size }, () => this.value(depth - 1)));
    const keys = Array.from({ length: size }, (_, i) => `${this.text()}${i}`);
    return this.object(keys.map((key) => [key, this.value(depth - 1)]));
  }
}

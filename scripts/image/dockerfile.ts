// Reads a Dockerfile: the instructions that ours uses, and an error for any other, so that nothing is skipped unseen.

/** `RUN`, `CMD` and their like: a line for the shell, or words that are executed as they are. */
export type CommandLine = { readonly shell: string } | { readonly exec: readonly string[] };

export type Step =
  | { readonly kind: "arg"; readonly name: string; readonly value: string | undefined }
  | { readonly kind: "env"; readonly name: string; readonly value: string }
  | { readonly kind: "workdir"; readonly path: string }
  | {
      readonly kind: "copy";
      readonly sources: readonly string[];
      readonly to: string;
      /** A stage, or undefined: the build context. */
      readonly from: string | undefined;
      readonly owner: string | undefined;
    }
  | { readonly kind: "run"; readonly command: CommandLine }
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "expose"; readonly ports: readonly string[] }
  | { readonly kind: "stopsignal"; readonly signal: string }
  | { readonly kind: "healthcheck"; readonly options: Flags; readonly command: CommandLine }
  | { readonly kind: "entrypoint"; readonly command: CommandLine }
  | { readonly kind: "label"; readonly labels: Readonly<Record<string, string>> };

export type Flags = Readonly<Record<string, string>>;

export interface Stage {
  readonly name: string;
  /** An earlier stage or an image. */
  readonly from: string;
  readonly platform: string | undefined;
  readonly steps: readonly Step[];
}

export interface Dockerfile {
  /** Before the first FROM. */
  readonly args: readonly Extract<Step, { kind: "arg" }>[];
  readonly stages: readonly Stage[];
}

/** Throws a line that names the place for what is not understood. */
export function readDockerfile(text: string): Dockerfile {
  const args: Extract<Step, { kind: "arg" }>[] = [];
  const stages: { name: string; from: string; platform: string | undefined; steps: Step[] }[] = [];
  for (const { line, text: instruction } of instructions(text)) {
    try {
      const from = /^FROM\s+(?:--platform=(\S+)\s+)?(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction);
      if (from) {
        const [, platform, image, name = String(stages.length)] = from;
        stages.push({ name, from: image!, platform, steps: [] });
        continue;
      }
      const step = readStep(instruction);
      const stage = stages.at(-1);
      if (stage) stage.steps.push(step);
      else if (step.kind === "arg") args.push(step);
      else throw new Error("only ARG may stand before FROM");
    } catch (error) {
      throw new Error(`Dockerfile:${line}: ${(error as Error).message}`);
    }
  }
  return { args, stages };
}

/** `$NAME` and `${NAME}` replaced; a name without a value is an error. */
export function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const name = (braced ?? bare)!;
    const value = values.get(name);
    if (value === undefined) throw new Error(`nothing says what ${name} is`);
    return value;
  });
}

/** Lines put together where one ends in a backslash; comments and blank lines are gone. */
function* instructions(text: string): Generator<{ line: number; text: string }> {
  let pending = "";
  let first = 0;
  for (const [index, raw] of text.split("\n").entries()) {
    if (/^\s*#/.test(raw) || (raw.trim() === "" && pending === "")) continue;
    if (pending === "") first = index + 1;
    pending += raw.replace(/\\\s*$/, "");
    if (/\\\s*$/.test(raw)) continue;
    yield { line: first, text: pending.trim() };
    pending = "";
  }
  if (pending !== "") throw new Error(`Dockerfile:${first}: the last line continues nowhere`);
}

function readStep(instruction: string): Step {
  const [, name, tail] = /^(\w+)\s+([\s\S]*)$/.exec(instruction) ?? [];
  if (name === undefined || tail === undefined) throw new Error(`not an instruction: ${instruction}`);
  const { flags, rest } = takeFlags(tail);
  const allowed = {
    COPY: ["from", "chown"],
    HEALTHCHECK: ["interval", "timeout", "start-period", "start-interval", "retries"],
  };
  const known = (allowed as Record<string, readonly string[]>)[name] ?? [];
  for (const flag of Object.keys(flags))
    if (!known.includes(flag)) throw new Error(`${name} --${flag} is not understood`);
  switch (name) {
    case "ARG": {
      const [arg, value] = split(rest, "=");
      return { kind: "arg", name: arg, value };
    }
    case "ENV": {
      const [variable, value] = split(rest, "=");
      if (value === undefined || /\s/.test(rest)) throw new Error("ENV: one NAME=VALUE without blanks");
      return { kind: "env", name: variable, value };
    }
    case "WORKDIR":
      return { kind: "workdir", path: rest };
    case "COPY": {
      const words = rest.split(/\s+/);
      if (words.length < 2 || words.some((word) => /[*?[<]/.test(word)))
        throw new Error(`COPY: plain paths only: ${rest}`);
      return {
        kind: "copy",
        sources: words.slice(0, -1),
        to: words.at(-1)!,
        from: flags.from,
        owner: flags.chown,
      };
    }
    case "RUN":
      return { kind: "run", command: commandLine(rest) };
    case "USER":
      return { kind: "user", user: rest };
    case "EXPOSE":
      return { kind: "expose", ports: rest.split(/\s+/) };
    case "STOPSIGNAL":
      return { kind: "stopsignal", signal: rest };
    case "HEALTHCHECK":
      if (!rest.startsWith("CMD ")) throw new Error("HEALTHCHECK: CMD only");
      return { kind: "healthcheck", options: flags, command: commandLine(rest.slice(4)) };
    case "ENTRYPOINT":
      return { kind: "entrypoint", command: commandLine(rest) };
    case "LABEL":
      return { kind: "label", labels: labelsIn(rest) };
    default:
      throw new Error(`${name} is not understood`);
  }
}

function takeFlags(tail: string): { flags: Record<string, string>; rest: string } {
  const flags: Record<string, string> = {};
  let rest = tail.trim();
  for (;;) {
    const [whole, name, value] = /^--([a-z-]+)(?:=(\S+))?\s+/.exec(rest) ?? [];
    if (whole === undefined) return { flags, rest };
    flags[name!] = value ?? "";
    rest = rest.slice(whole.length);
  }
}

function commandLine(text: string): CommandLine {
  if (!text.startsWith("[")) return { shell: text };
  const words = JSON.parse(text) as unknown;
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string"))
    throw new Error(`not a list of words: ${text}`);
  return { exec: words };
}

function labelsIn(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([\w.-]+)="([^"]*)"(?:\s+|$)/g)];
  if (pairs.map(([whole]) => whole).join("") !== text) throw new Error(`LABEL: NAME="VALUE" only: ${text}`);
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, value!]));
}

function split(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + at.length)];
}

/** Something wrong, or worth saying, about one place of the file. Line 0: not about a place in the file. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  /** For example `categories[2].model_scores[0].score`. */
  readonly path: string;
  readonly message: string;
}

export type Path = readonly (string | number)[];

/** Where the checks say what they find; a place is looked up only then. */
export interface Report {
  problem(path: Path, message: string, at?: "key" | "value"): void;
  warn(path: Path, message: string, at?: "key" | "value"): void;
}

/** The file cannot be used; carries everything that is wrong with it, not only the first thing. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], file: string) {
    super(problems.map((problem) => describe(problem, file)).join("\n"));
    this.problems = problems;
  }
}

/** One line for people: `config.yaml:12:5 categories[2].scor: unknown key`. */
export function describe({ line, column, path, message }: Problem, file: string): string {
  const place = line > 0 ? [`${file}:${line}:${column}`] : [];
  return [...place, ...(path === "" ? [] : [`${path}:`]), message].join(" ");
}

export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    // Model names carry dots and slashes; bracketed they cannot be taken for nested keys.
    const plain = /^[\w-]+$/.test(part);
    return plain ? (text === "" ? part : `${text}.${part}`) : `${text}[${JSON.stringify(part)}]`;
  }, "");
}

import type { Path } from "../config/problem.ts";
import type { Env } from "../config/variables.ts";
import { readYaml, type Source } from "../config/yaml.ts";

/** Where values stand in a file; of one that is not there, its parent's place. Lines and columns count from 1. */
export class Places {
  readonly #source: Source;

  constructor(text: string, env: Env) {
    this.#source = readYaml(text, env);
  }

  of(path: Path): { readonly line: number; readonly column: number } {
    const { report, problems } = this.#source;
    report.problem(path, "");
    const { line, column } = problems.pop()!;
    return { line, column };
  }
}

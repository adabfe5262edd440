import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/load.ts";
import { ConfigError, describe } from "../../src/config/problem.ts";
import type { Env } from "../../src/config/variables.ts";

/** What parsing says, as the operator sees it. */
export function problemsOf(text: string, env: Env = {}): string[] {
  try {
    parseConfig(text, { file: "c.yaml", env });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.message, error.problems.map((problem) => describe(problem, "c.yaml")).join("\n"));
    return error.message.split("\n");
  }
}

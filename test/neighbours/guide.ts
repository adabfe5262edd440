import { textOf } from "../support/repo.ts";

/** A search that the guide shows, in its three forms. */
export interface GuideSearch {
  readonly task: string;
  /** Jaeger's page: field to value. */
  readonly fields: Readonly<Record<string, string>>;
  /** Jaeger's API: path and query. */
  readonly api: string;
  readonly traceQl: string;
}

export const GUIDE = "docs/tracing.md";
/** What stands in the guide for the id of the reader's own request. */
export const SAMPLE_REQUEST_ID = "0f9a1b7e-5d36-4c58-9a02-6f1f5a2f4c11";

/** Every search under `## Find`, by its heading. Throws where a task lacks one of the three forms. */
export function searchesOf(page = GUIDE): GuideSearch[] {
  const find = textOf(page)
    .split(/^## /m)
    .find((part) => part.includes("```traceql"));
  if (!find) throw new Error(`${page} has no searches`);
  return find
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const task = part.split("\n", 1)[0]!;
      const block = (language: string): string => {
        const [one, ...more] = part.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"));
        if (!one || more.length > 0) throw new Error(`${page}, ${task}: wants one block of ${language}`);
        return one[1]!.trimEnd();
      };
      const [method, api] = block("http").split(" ", 2);
      if (method !== "GET" || !api) throw new Error(`${page}, ${task}: expected GET /api/traces?...`);
      return { task, fields: fieldsIn(block("text")), api, traceQl: block("traceql") };
    });
}

const fieldsIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split("\n").map((line) => {
      const [, field, value] = /^(\S+(?: \S+)*) {2,}(.+)$/.exec(line) ?? [];
      if (!field || !value) throw new Error(`${line}: expected a field and its value`);
      return [field, value] as const;
    }),
  );

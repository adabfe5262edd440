import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, resolve, sep } from "node:path";

export const repoRoot = resolve(import.meta.dirname, "../..");

const foreign = new Set(["node_modules", "dist", ".cache", ".git", ".venv", "__pycache__"]);

/** Files under a folder of the repository, by their path from its root; none where the folder is missing. */
export function filesUnder(folder: string, ending: RegExp): string[] {
  const at = join(repoRoot, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return foreign.has(entry.name) ? [] : filesUnder(path, ending);
      return ending.test(entry.name) ? [path.split(sep).join("/")] : [];
    })
    .sort();
}

export const textOf = (path: string): string => readFileSync(join(repoRoot, path), "utf8");

export interface Import {
  /** From the root of the repository, or the name of a package. */
  readonly to: string;
  readonly ours: boolean;
  readonly typeOnly: boolean;
}

export function importsOf(path: string, text: string): Import[] {
  const found = withoutComments(text).matchAll(
    /\b(?:(import|export)\s+(type\s+)?(?:[\w*{][^;"']*?\bfrom\s*)?|(?:import|require)\s*\(\s*)["']([^"'\n]+)["']/g,
  );
  return [...found].map(([, , type, specifier]) => {
    const ours = specifier!.startsWith(".");
    const to = ours
      ? normalize(join(dirname(path), specifier!))
          .split(sep)
          .join("/")
      : specifier!;
    return { to, ours, typeOnly: type !== undefined };
  });
}

export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`\\])\/\/.*$/gm, "$1");

/** Targets of a Markdown file's relative links, from the root of the repository. Code is not looked at. */
export function relativeLinks(path: string, markdown: string): string[] {
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").replace(/`[^`\n]*`/g, "");
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(
    ([, target]) => target!,
  );
  const named = [...prose.matchAll(/^\s*\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm)].map(([, target]) => target!);
  const html = [...prose.matchAll(/\b(?:href|src)="([^"]+)"/g)].map(([, target]) => target!);
  return [...inline, ...named, ...html]
    .filter((target) => !/^(?:[a-z][a-z0-9+.-]*:|#|\/\/)/i.test(target))
    .map((target) => target.split(/[?#]/, 1)[0]!)
    .map((target) => relative(repoRoot, resolve(repoRoot, dirname(path), decodeURIComponent(target))));
}

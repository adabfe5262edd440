#!/usr/bin/env node
// The command `semantic-router`. In a checkout it runs the sources, on the project's own Node and without a build; an
// installed package runs what was built, because Node strips no types under node_modules.
// Plain JavaScript: it is started by whatever Node a machine has.
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "src", "main.ts");
const built = join(root, "dist", "main.js");
const needed = 24;

if (existsSync(sources) && !root.split(sep).includes("node_modules")) {
  process.argv.splice(2, 0, sources);
  await import("./with-node.mjs");
} else if (!existsSync(built)) {
  console.error(`${built} is missing: this package was packed without npm run build`);
  process.exitCode = 1;
} else if (Number(process.versions.node.split(".")[0]) < needed) {
  console.error(`Node ${needed} is needed and this is ${process.version}: install Node ${needed}`);
  process.exitCode = 1;
} else {
  await import("../dist/main.js");
}

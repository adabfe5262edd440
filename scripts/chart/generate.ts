import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/settings.ts";
import { generatedFiles } from "./files.ts";

for (const { path, text } of generatedFiles()) writeFileSync(join(ROOT, path), text);

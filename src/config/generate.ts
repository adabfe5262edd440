import { writeFileSync } from "node:fs";
import { renderEditorSchema, renderPage } from "./page.ts";

const docs = new URL("../../docs/", import.meta.url);
writeFileSync(new URL("configuration.md", docs), renderPage());
writeFileSync(new URL("configuration.schema.json", docs), renderEditorSchema());

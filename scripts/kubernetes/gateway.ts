import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { goIn } from "../neighbours/build.ts";
import { CACHE, ENVOY_GATEWAY } from "./parts.ts";

/** Folder with the custom resource definitions of Envoy Gateway and of the Gateway API, from its Go module. */
export function gatewayDefinitions(env: NodeJS.ProcessEnv = process.env): string {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, "gateway-"));
  try {
    const go = goIn(work, env, "Envoy Gateway's module", "or run the other tests by their names");
    const answer = go("mod", "download", "-json", `github.com/envoyproxy/gateway@v${ENVOY_GATEWAY}`);
    const { Dir } = JSON.parse(answer) as { Dir: string };
    return join(Dir, "charts", "gateway-helm", "charts", "crds", "crds");
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

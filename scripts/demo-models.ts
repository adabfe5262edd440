import { startModelServer } from "./demo/model-server.ts";
import { checkPorts } from "./lib/ports.ts";
import { readConfig, readSettings } from "./lib/settings.ts";

// The demo model servers alone, on the ports of the quickstart's endpoints, until Ctrl-C.

try {
  const { endpoints } = readConfig({ ...readSettings(), ownConfig: undefined });
  await checkPorts(
    endpoints.map(({ name, port }) => ({ port, use: `the demo server ${name}`, variable: "DEMO_PORT" })),
  );
  for (const { name, port } of endpoints) {
    await startModelServer({ name, port });
    console.log(`${name}: http://127.0.0.1:${port}/v1`);
  }
  console.log("Ctrl-C stops them.");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

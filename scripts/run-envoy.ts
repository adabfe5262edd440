import { ensureEnvoy } from "./envoy-binary.ts";
import { startChild } from "./lib/child.ts";
import { checkPorts } from "./lib/ports.ts";
import { ENVOY_FLAGS, writeEnvoyConfig } from "./lib/service.ts";
import { readConfig, readSettings } from "./lib/settings.ts";

// Envoy alone, in the foreground, for the endpoints of CONFIG_PATH or the quickstart.

try {
  const settings = readSettings();
  const { config, endpoints } = readConfig(settings);
  await checkPorts([
    { port: settings.envoyPort, use: "Envoy", variable: "ENVOY_PORT" },
    { port: settings.adminPort, use: "Envoy's admin page", variable: "ENVOY_ADMIN_PORT" },
  ]);
  const binary = await ensureEnvoy((line) => console.error(line));
  const file = writeEnvoyConfig(settings, { endpoints, endpointHeader: config.routing.endpoint_header });
  console.error(
    `Envoy on 127.0.0.1:${settings.envoyPort}, admin 127.0.0.1:${settings.adminPort}, configuration ${file}`,
  );

  // Its access log is written to a pipe of ours, as Envoy cannot open every kind of standard output.
  const envoy = startChild(binary, ["-c", file, ...ENVOY_FLAGS], { stdio: ["ignore", "pipe", "inherit"] });
  envoy.process.stdout?.pipe(process.stdout);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void envoy.stop());
  await envoy.ended;
  process.exitCode = envoy.process.exitCode ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

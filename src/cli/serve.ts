import { loadConfig } from "../config/load.ts";
import { placeGiven } from "./addresses.ts";
import type { Command } from "./command.ts";
import { configOption } from "./config-option.ts";
import { configFile } from "./configuration.ts";

const tcp = "host:port";

/** The processor itself. */
export const serve: Command = {
  usage: "serve [OPTION...]",
  about: `Ends at SIGTERM, after the exchanges under way, and follows changes of the configuration file.
Exit status: 0 ended by a signal, 1 could not start, 2 usage.`,
  options: {
    config: configOption,
    listen: {
      type: "string",
      value: "ADDR",
      description: "host:port or unix:/path of the gRPC server; overrides server.listen",
    },
    "status-listen": {
      type: "string",
      value: "ADDR",
      description: "host:port of /livez and /readyz; overrides server.status_listen",
    },
    "admin-listen": {
      type: "string",
      value: "ADDR",
      description: "host:port of the admin server; overrides admin.listen",
    },
  },
  positionals: [0, 0],
  async run({ text }) {
    // Asked to read its file before it has: it is about to.
    process.on("SIGHUP", () => {});
    // Process 1 of a container hears only what it listens for. While nothing is served there is nothing to wait for.
    const leave = () => process.exit(0);
    process.on("SIGTERM", leave).on("SIGINT", leave);
    const ready = () => process.off("SIGTERM", leave).off("SIGINT", leave);
    const [listen, statusListen, adminListen] = [text("listen"), text("status-listen"), text("admin-listen")];
    if (listen !== undefined) placeGiven("listen", listen);
    if (statusListen !== undefined) placeGiven("status-listen", statusListen, tcp);
    if (adminListen !== undefined) placeGiven("admin-listen", adminListen, tcp);
    const loaded = loadConfig(configFile(text("config")));
    const { run } = await import("../run.ts");
    await run(loaded, { listen, statusListen, adminListen }, ready);
    return 0;
  },
};

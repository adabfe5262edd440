import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { loadConfig } from "../config/load.ts";
import { type Address, renderEnvoy } from "../envoy/render.ts";
import { type Place, placeGiven, placeOf, reachable } from "./addresses.ts";
import { type Command, UsageError } from "./command.ts";
import { configOption } from "./config-option.ts";
import { configFile } from "./configuration.ts";
import { print, printJson } from "./output.ts";

const tcp = "host:port";

/** Envoy's configuration for this router's: a route and a cluster for each of its endpoints. */
export const envoyRender: Command = {
  usage: "envoy render [OPTION...]",
  about: `Start it with: envoy -c FILE. Only vllm_endpoints, routing.endpoint_header and server.listen are read; Envoy is to be
started anew after a change of these. What each setting is for: docs/envoy.md.
Exit status: 0 rendered, 1 the configuration is invalid, 2 usage.`,
  options: {
    config: configOption,
    listen: { type: "string", value: "ADDR", description: "host:port for clients (default: 127.0.0.1:8801)" },
    admin: {
      type: "string",
      value: "ADDR",
      description: "host:port of Envoy's admin page (default: 127.0.0.1:19000)",
    },
    processor: {
      type: "string",
      value: "ADDR",
      description: "host:port or unix:/path of the processor (default: server.listen)",
    },
    json: { type: "boolean", description: "as JSON, which Envoy reads from a file named *.json" },
  },
  positionals: [0, 0],
  async run({ text, flag }, { output, errors }) {
    const [listen, admin, processor] = ["listen", "admin", "processor"].map((option) => text(option));
    const client = listen === undefined ? undefined : tcpGiven("listen", listen);
    const page = admin === undefined ? undefined : tcpGiven("admin", admin);
    const to = processor === undefined ? undefined : placeGiven("processor", processor);
    if (to && "port" in to && to.port === 0) throw new UsageError("--processor needs a port above 0");

    const file = configFile(text("config"));
    const { config } = loadConfig(file);
    const { vllm_endpoints, routing, server } = config;
    const rendered = renderEnvoy(readFileSync(template, "utf8"), {
      endpoints: vllm_endpoints.map(({ name, address, port }) => ({ name, address, port })),
      endpointHeader: routing.endpoint_header,
      ...(client && { listen: client }),
      ...(page && { admin: page }),
      processor: to ?? listening(server.listen),
    });
    if (vllm_endpoints.length === 0)
      errors.write(
        `warning: ${file} has no vllm_endpoints: Envoy will answer every request with 503 no_endpoint\n`,
      );
    if (flag("json")) await printJson(output, parse(rendered, { version: "1.1" }));
    else await print(output, rendered);
    return 0;
  },
};

/** The same from the sources and from what is built. */
const template = new URL("../../envoy/envoy.yaml", import.meta.url);

function tcpGiven(option: string, text: string): Address {
  const place = placeGiven(option, text, tcp);
  if ("path" in place) throw new UsageError(`--${option} must be ${tcp}`);
  return place;
}

function listening(listen: string): Place {
  const place = placeOf(listen);
  if (place === undefined || ("port" in place && place.port === 0))
    throw new Error(`server.listen is ${listen}, where Envoy cannot reach it: give --processor`);
  return reachable(place);
}

import { startModelServer } from "../../scripts/demo/model-server.ts";

// A model server that answers at once with what it received, in a container of compose.yaml.

const [name = "model"] = process.argv.slice(2);
const server = await startModelServer({ name, host: "0.0.0.0", port: Number(process.env.PORT ?? 8000) });
console.log(`${name}: port ${server.port}`);
// Process 1 of a container gets no signal that it does not ask for.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));

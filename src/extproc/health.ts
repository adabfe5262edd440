import { fileURLToPath } from "node:url";
import {
  loadPackageDefinition,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

type Status = "SERVING" | "NOT_SERVING";
type Watcher = ServerWritableStream<{ service: string }, { status: Status }>;

/** grpc.health.v1 for the server as a whole: every service name gets the same answer. */
export interface Health {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  set(status: Status): void;
  /** Ends the streams of those who watch, so that they do not hold up a shutdown. */
  close(): void;
}

export function healthService(): Health {
  const root = fileURLToPath(new URL("../../proto", import.meta.url));
  const loaded = loadPackageDefinition(
    loadSync("grpc/health/v1/health.proto", { includeDirs: [root], enums: String }),
  );
  const { service } = (
    loaded as unknown as { grpc: { health: { v1: { Health: { service: ServiceDefinition } } } } }
  ).grpc.health.v1.Health;
  const watchers = new Set<Watcher>();
  let current: Status = "NOT_SERVING";
  return {
    definition: service,
    implementation: {
      Check: (_call: unknown, answer: sendUnaryData<{ status: Status }>) => answer(null, { status: current }),
      Watch: (call: Watcher) => {
        watchers.add(call);
        call.on("cancelled", () => watchers.delete(call));
        call.write({ status: current });
      },
    },
    set(status) {
      current = status;
      for (const watcher of watchers) watcher.write({ status });
    },
    close() {
      for (const watcher of watchers) watcher.end();
      watchers.clear();
    },
  };
}

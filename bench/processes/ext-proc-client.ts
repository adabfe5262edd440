import { ExtProcClient } from "../lib/ext-proc-client.ts";
import { keepGoing, type Load, playOnce } from "../lib/load.ts";
import { answerParent } from "../lib/role.ts";

/** The load generator in a process of its own, so that it takes nothing from the core it measures. */

const clients = new Map<number, Promise<ExtProcClient>>();

function clientOf(port: number): Promise<ExtProcClient> {
  let client = clients.get(port);
  if (!client) {
    client = ExtProcClient.open(port);
    clients.set(port, client);
  }
  return client;
}

export interface LoadOrder {
  readonly port: number;
  /** Base64. */
  readonly messages: readonly string[];
  readonly concurrency: number;
  readonly forMs: number;
  readonly most?: number;
}

const bytes = (messages: readonly string[]) => messages.map((message) => Buffer.from(message, "base64"));

answerParent({
  load: async ({ port, messages, ...options }: LoadOrder): Promise<Load> =>
    keepGoing(await clientOf(port), bytes(messages), options),
  once: async ({ port, messages }: Pick<LoadOrder, "port" | "messages">): Promise<string[]> =>
    (await playOnce(await clientOf(port), bytes(messages))).map((answer) => answer.toString("base64")),
});

import type { Cell } from "./cell.ts";
import { type Client, openClient, resetMidAnswer, type Seen } from "./client.ts";
import { heldAt } from "./expected.ts";
import { answersOfRouter, eventually, type Stage } from "./stage.ts";

/** An exchange that was played; `wrong` where not even its client saw what it should have. */
export type Played =
  | { readonly cell: Cell; readonly seen: Seen }
  | { readonly cell: Cell; readonly wrong: unknown };

export const played = (cell: Cell, seen: Promise<Seen> | Seen): Promise<Played> =>
  Promise.resolve(seen).then(
    (value) => ({ cell, seen: value }),
    (wrong: unknown) => ({ cell, wrong }),
  );

/** Plays an exchange that nobody else has to wait for. */
export async function play(cell: Cell, stage: Stage): Promise<Seen> {
  const { port } = stage.envoy;
  if (cell.column.client === "resets-mid-answer") return resetMidAnswer(port, cell);
  const client = openClient(port, cell);
  client.sendRest();
  if (cell.column.upstream === "reset") {
    // A reset overtakes what Envoy has not read yet.
    await client.begun();
    stage.upstream.release(cell.requestId);
  }
  switch (cell.column.client) {
    case "leaves-waiting":
      await stage.upstream.arrived(cell.requestId);
      return client.leave();
    case "leaves-mid-answer":
      await client.begun();
      return client.leave();
    case "leaves-after-done":
      await client.read("[DONE]");
      return client.leave();
    case "leaves-after-end": {
      const seen = await client.finish();
      client.leave();
      return seen;
    }
  }
  return client.finish();
}

/** An exchange that stands still until its time has come. */
export interface Held {
  readonly cell: Cell;
  readonly client: Client;
  /** Lets it go on; it ends as if nothing had happened. */
  release(): void;
}

/** Begins exchanges and holds them; when it resolves the router has all of them. Nothing else may run meanwhile. */
export async function hold(cells: readonly Cell[], stage: Stage): Promise<Held[]> {
  const isHalf = ({ row, column }: Cell) => column.client === "half" || heldAt(row) === "verdict";
  const before = await answersOfRouter(stage.envoy);
  const halves = cells.filter(isHalf).map((cell): Held => {
    const client = openClient(stage.envoy.port, cell);
    client.sendHalf();
    return { cell, client, release: client.sendRest };
  });
  // It has answered their headers, and waits for their bodies as Envoy does.
  await eventually("the router has all of them", async () => {
    return (await answersOfRouter(stage.envoy)) - before >= halves.length;
  });
  const others = cells
    .filter((cell) => !isHalf(cell))
    .map(async (cell): Promise<Held> => {
      const client = openClient(stage.envoy.port, cell);
      client.sendRest();
      const standsStill =
        heldAt(cell.row) === "mid-response" ? client.begun() : stage.upstream.arrived(cell.requestId);
      // One that does not come to stand ends otherwise than expected, which its check tells.
      await standsStill.catch(() => {});
      return { cell, client, release: () => stage.upstream.release(cell.requestId) };
    });
  return [...halves, ...(await Promise.all(others))];
}

import { connect, createServer } from "node:net";

export type WantedPort = { readonly port: number; readonly use: string; readonly variable: string };

/** Throws one line about the first port that something else already has. */
export async function checkPorts(wanted: readonly WantedPort[], host = "127.0.0.1"): Promise<void> {
  const seen = new Map<number, WantedPort>();
  for (const one of wanted) {
    const other = seen.get(one.port);
    if (other)
      throw new Error(
        `port ${one.port} is wanted for both ${other.use} and ${one.use}: set ${one.variable} to another one`,
      );
    seen.set(one.port, one);
  }
  const problems = await Promise.all(
    wanted.map(async (one) => ({ one, code: await problem(one.port, host) })),
  );
  for (const { one, code } of problems) {
    if (!code) continue;
    const what = code === "EADDRINUSE" ? "is already in use" : `cannot be opened (${code})`;
    throw new Error(
      `port ${one.port}, wanted for ${one.use}, ${what}: stop what has it, or choose another with ${one.variable}=${one.port + (one.port < 64_000 ? 1_000 : -1_000)}`,
    );
  }
}

/** Why the port cannot be had, as an error code; undefined when it is free. */
async function problem(port: number, host: string): Promise<string | undefined> {
  // On macOS one may bind a single address under somebody's wildcard, so trying to bind is not enough.
  if (await answers(port, host)) return "EADDRINUSE";
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const done = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", done(true)).once("error", done(false)).setTimeout(500, done(false));
  });
}

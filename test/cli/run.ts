import { Readable, Writable } from "node:stream";
import { program } from "../../src/cli/program.ts";

/** A place to write to that keeps everything. */
export function sink(): Writable & { text(): string } {
  let kept = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      kept += String(chunk);
      done();
    },
  });
  return Object.assign(stream, { text: () => kept });
}

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process; `env` is put over the environment while it runs. */
export async function ran(
  args: readonly string[],
  { input = "", env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env))
    if (/^(?:OTEL_|CONFIG_|SR_)/.test(name)) delete process.env[name];
  Object.assign(process.env, env);
  const [output, errors] = [sink(), sink()];
  try {
    const status = await program(args, { input: Readable.from([Buffer.from(input)]), output, errors });
    return { status, out: output.text(), err: errors.text() };
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";

// Before anything else is loaded: a second start finds everything compiled.
enableCompileCache();
// For the threads to come: the young generation that serves requests well is far too large for them, and what a worker
// asks for itself counts for less than the flags of the process (config.processor_flags in package.json).
setFlagsFromString("--min-semi-space-size=1");
setFlagsFromString("--max-semi-space-size=2");

const { program } = await import("./cli/program.ts");
const status = await program(process.argv.slice(2), {
  // Opened only by a command that reads it.
  get input() {
    return process.stdin;
  },
  output: process.stdout,
  errors: process.stderr,
});
// Whatever still runs by then, a batch to a collector that does not answer, say, has had its time.
process.exit(status);

import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";

/** Runs `go` with these arguments and returns what it printed; throws one line that names the remedy. */
export type Go = (...args: readonly string[]) => string;

export function goIn(folder: string, env: NodeJS.ProcessEnv, name: string, remedy: string): Go {
  return (...args) => {
    const { status, stdout, stderr, error } = spawnSync("go", args, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { ...env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod" },
    });
    if (error)
      throw new Error(`${name} is built with Go, which was not found: install Go 1.25 or newer, ${remedy}`);
    if (status !== 0) {
      // `go run` ends with a line that says no more than that there was an error.
      const lines = stderr.trim().split("\n");
      const said = lines.findLast((line) => !line.startsWith("exit status"));
      throw new Error(
        `go ${args[0]} failed for ${name} (${said}): check the network, GOPROXY and Go's version (1.25 or newer), ${remedy}`,
      );
    }
    return stdout;
  };
}

/** The last version with a tag that Go accepts. Its `cmd/jaeger` is Jaeger 2.13, without the pages of the UI. */
export const JAEGER_MODULE = { path: "github.com/jaegertracing/jaeger", version: "1.76.0" } as const;

/** Jaeger cannot be `go install`ed, since it replaces modules; so we make a module that replaces the same ones. */
export function buildJaeger(go: Go, folder: string): string {
  const { path, version } = JAEGER_MODULE;
  go("mod", "init", "neighbours.test/jaeger");
  const { Dir, GoMod } = JSON.parse(go("mod", "download", "-json", `${path}@v${version}`)) as {
    Dir: string;
    GoMod: string;
  };
  const { Replace } = JSON.parse(go("mod", "edit", "-json", GoMod)) as {
    Replace: readonly { Old: { Path: string }; New: { Path: string; Version?: string } }[] | null;
  };
  const replaces = (Replace ?? []).map(
    ({ Old, New }) => `-replace=${Old.Path}=${New.Path}${New.Version ? `@${New.Version}` : ""}`,
  );
  go("mod", "edit", `-require=${path}@v${version}`, ...replaces);
  // The checksums that its authors saw.
  copyFileSync(join(Dir, "go.sum"), join(folder, "go.sum"));
  chmodSync(join(folder, "go.sum"), 0o644);
  const stamp = `-s -w -X ${path}/internal/version.latestVersion=v${version}`;
  go("build", "-trimpath", "-ldflags", stamp, "-o", "jaeger", `${path}/cmd/jaeger`);
  return join(folder, "jaeger");
}

/** With OpenTelemetry's own builder, of the version that the recipe beside this file names. */
export function buildCollector(go: Go, folder: string): string {
  copyFileSync(join(import.meta.dirname, "collector.yaml"), join(folder, "builder.yaml"));
  go("run", "go.opentelemetry.io/collector/cmd/builder@v0.155.0", "--config=builder.yaml");
  return join(folder, "out", "otelcol");
}

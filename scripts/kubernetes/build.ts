import { readFileSync } from "node:fs";
import { join } from "node:path";
import { goIn } from "../neighbours/build.ts";

/** Builds one program in an empty folder and returns the executable. `remedy` ends the sentence of every error. */
export type Build = (folder: string, env: NodeJS.ProcessEnv, remedy: string) => string;

/** A program that Go itself can install from the module proxy. */
export const goInstalled =
  (name: string, path: string, version: string): Build =>
  (folder, env, remedy) => {
    const go = goIn(folder, { ...env, GOBIN: folder }, name, remedy);
    go("install", "-trimpath", "-ldflags", "-s -w", `${path}@v${version}`);
    return join(folder, name);
  };

/**
 * One of Kubernetes' own programs. They cannot be `go install`ed: k8s.io/kubernetes replaces its staging modules by
 * folders of its repository. A module of ours names the published v0.x of each instead.
 * @param version without the `v`.
 */
export const kubernetesProgram =
  (name: string, version: string): Build =>
  (folder, env, remedy) => {
    const go = goIn(folder, env, name, remedy);
    const [, minor, patch] = version.split(".");
    go("mod", "init", "kubernetes.test/programs");
    const { GoMod } = JSON.parse(go("mod", "download", "-json", `k8s.io/kubernetes@v${version}`)) as {
      GoMod: string;
    };
    const { Go, Replace } = JSON.parse(go("mod", "edit", "-json", GoMod)) as {
      Go: string;
      Replace: readonly { Old: { Path: string }; New: { Path: string } }[] | null;
    };
    const staged = (Replace ?? []).filter(({ New }) => New.Path.startsWith("./staging/"));
    const debug = readFileSync(GoMod, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("godebug "))
      .map((line) => `-godebug=${line.slice("godebug ".length)}`);
    go(
      "mod",
      "edit",
      `-require=k8s.io/kubernetes@v${version}`,
      `-go=${Go}`,
      ...staged.map(({ Old }) => `-replace=${Old.Path}=${Old.Path}@v0.${minor}.${patch}`),
      ...debug,
    );
    // Without these it says that it is v0.0.0, and Helm refuses a chart that asks for a version.
    const stamp = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((at) => [
      `-X ${at}.gitVersion=v${version}`,
      `-X ${at}.gitMajor=1`,
      `-X ${at}.gitMinor=${minor}`,
      `-X ${at}.gitTreeState=clean`,
    ]);
    go(
      "build",
      "-trimpath",
      "-ldflags",
      ["-s -w", ...stamp].join(" "),
      "-o",
      name,
      `k8s.io/kubernetes/cmd/${name}`,
    );
    return join(folder, name);
  };

/** etcd's server cannot be `go install`ed either, for the same reason. */
export const etcdServer =
  (version: string): Build =>
  (folder, env, remedy) => {
    const go = goIn(folder, env, "etcd", remedy);
    go("mod", "init", "kubernetes.test/etcd");
    go("mod", "edit", `-require=go.etcd.io/etcd/server/v3@v${version}`);
    go("build", "-trimpath", "-ldflags", "-s -w", "-o", "etcd", "go.etcd.io/etcd/server/v3");
    return join(folder, "etcd");
  };

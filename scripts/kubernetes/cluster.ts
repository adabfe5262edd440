import { generateKeyPairSync, randomBytes } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../test/support/ports.ts";
import { type Child, startChild } from "../lib/child.ts";
import { type Api, apiOf } from "./api.ts";
import { runJobs } from "./jobs.ts";
import type { Programs } from "./parts.ts";

const READY_LIMIT_MS = 60_000;

/**
 * A real API server with its controllers and scheduler, on free loopback ports. Its one node is pretended: it says that
 * containers run, and runs none but those of Jobs (jobs.ts).
 */
export interface Cluster extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly api: Api;
  stop(): Promise<void>;
}

export async function startCluster(programs: Programs, envoy: string): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "kubernetes-"));
  const [port, etcdPort, peerPort, controllersPort, schedulerPort] = (await freePorts(5)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const children: { name: string; child: Child }[] = [];
  const spawn = (
    name: string,
    program: string,
    flags: Readonly<Record<string, string | number | boolean>>,
  ): void => {
    const out = openSync(join(folder, `${name}.log`), "w");
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    const child = startChild(program, args, { stdio: ["ignore", out, out] });
    closeSync(out);
    void child.ended.then((how) => ended.set(name, how));
    children.push({ name, child });
  };
  const ended = new Map<string, string>();
  let stopJobs = () => {};
  const stop = async (): Promise<void> => {
    stopJobs();
    // In reverse: whoever asks goes before who answers.
    for (const { child } of children.toReversed()) await child.stop(5_000);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    spawn("etcd", programs.etcd, {
      "data-dir": join(folder, "etcd"),
      "listen-client-urls": etcd,
      "advertise-client-urls": etcd,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": `default=${peer}`,
      // It need not survive this machine.
      "unsafe-no-fsync": true,
    });
    const token = randomBytes(16).toString("hex");
    const keys = writeKeys(folder);
    const tokens = join(folder, "tokens.csv");
    writeFileSync(tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
    spawn("kube-apiserver", programs.apiserver, {
      "etcd-servers": etcd,
      "bind-address": "127.0.0.1",
      "secure-port": port,
      "cert-dir": join(folder, "certs"),
      "service-cluster-ip-range": "10.0.0.0/24",
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-account-key-file": keys.public,
      "service-account-signing-key-file": keys.private,
      "token-auth-file": tokens,
      "authorization-mode": "Node,RBAC",
      "endpoint-reconciler-type": "none",
    });
    const kubeconfig = writeKubeconfig(folder, port, token);
    const api = apiOf(port, token);
    const until = async (what: string, probe: () => Promise<boolean>): Promise<void> => {
      const deadline = Date.now() + READY_LIMIT_MS;
      while (!(await probe().catch(() => false))) {
        const [gone] = ended;
        const name = gone?.[0] ?? "kube-apiserver";
        if (gone || Date.now() > deadline)
          throw new Error(
            `${gone ? gone.join(" ") : `no ${what} in time`}\n${tail(join(folder, `${name}.log`))}`,
          );
        await sleep(100);
      }
    };
    await until("API server", async () => (await api.call("GET", "/readyz")) === "ok");
    spawn("kube-controller-manager", programs.controllers, {
      kubeconfig,
      "service-account-private-key-file": keys.private,
      "use-service-account-credentials": true,
      "leader-elect": false,
      "cert-dir": join(folder, "controller-certs"),
      "bind-address": "127.0.0.1",
      "secure-port": controllersPort,
    });
    spawn("kube-scheduler", programs.scheduler, {
      kubeconfig,
      "leader-elect": false,
      "bind-address": "127.0.0.1",
      "secure-port": schedulerPort,
    });
    spawn("kwok", programs.kwok, {
      kubeconfig,
      "manage-all-nodes": true,
      // A node without a sign of life is given up after 40 s, and its pods with it.
      "node-lease-duration-seconds": 40,
      cidr: "10.9.0.0/24",
      "node-ip": "127.0.0.1",
      config: join(import.meta.dirname, "kwok.yaml"),
    });
    await api.call("POST", "/api/v1/nodes", NODE);
    stopJobs = runJobs(api, envoy);
    const account = "/api/v1/namespaces/default/serviceaccounts/default";
    await until("controllers", async () => (await api.call("GET", account)) !== "");
    return { kubeconfig, api, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const SIZE = { cpu: "32", memory: "64Gi", pods: "110" };
const NODE = {
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: "pretended",
    labels: {
      "kubernetes.io/hostname": "pretended",
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64",
      "topology.kubernetes.io/zone": "one",
    },
  },
  status: { allocatable: SIZE, capacity: SIZE },
};

function writeKeys(folder: string): { public: string; private: string } {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const files = { public: join(folder, "accounts.pub"), private: join(folder, "accounts.key") };
  mkdirSync(folder, { recursive: true });
  writeFileSync(files.public, pair.publicKey);
  writeFileSync(files.private, pair.privateKey, { mode: 0o600 });
  return files;
}

function writeKubeconfig(folder: string, port: number, token: string): string {
  const file = join(folder, "kubeconfig");
  const content = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "test", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  };
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  return file;
}

const tail = (file: string): string => readFileSync(file, "utf8").trimEnd().split("\n").slice(-8).join("\n");

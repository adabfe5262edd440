import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { OtlpSettings } from "../settings.ts";

export interface Certificates {
  ca?: string;
  cert?: string;
  key?: string;
}

let rootsTaken = false;

/**
 * Reads the PEM files, for one connection. Without a file of authorities: Node's roots and those of the machine, where a
 * company's own authority is installed. Throws with a sentence that names the key and the file.
 */
export function readCertificates({ caFile, certFile, keyFile }: OtlpSettings["tls"]): Certificates {
  if (caFile === undefined) takeSystemRoots();
  return {
    ...(caFile !== undefined && { ca: read("ca_file", caFile) }),
    ...(certFile !== undefined && { cert: read("cert_file", certFile) }),
    ...(keyFile !== undefined && { key: read("key_file", keyFile) }),
  };
}

/** Once in this thread, and for it alone: hundreds of certificates take longer to parse than a handshake. */
function takeSystemRoots(): void {
  if (rootsTaken) return;
  rootsTaken = true;
  setDefaultCACertificates([...new Set([...getCACertificates("default"), ...getCACertificates("system")])]);
}

function read(key: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`tls.${key}: cannot read ${file} (${(error as NodeJS.ErrnoException).code})`);
  }
  if (!text.includes("-----BEGIN ")) throw new Error(`tls.${key}: ${file} holds no PEM block`);
  return text;
}

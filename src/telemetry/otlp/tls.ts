import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, getCACertificates, setDefaultCACertificates } from "node:tls";
import type { OtlpSettings } from "../settings.ts";
import { oneLine } from "./answer.ts";

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
  const ca = caFile === undefined ? undefined : read("ca_file", caFile);
  const cert = certFile === undefined ? undefined : read("cert_file", certFile);
  const key = keyFile === undefined ? undefined : read("key_file", keyFile);
  if (ca !== undefined) certificateIn(ca, "ca_file", caFile);
  const shown = cert === undefined ? undefined : certificateIn(cert, "cert_file", certFile);
  const own = key === undefined ? undefined : keyIn(key, keyFile);
  // Also for a moment while both are replaced.
  if (shown && own && !shown.checkPrivateKey(own)) {
    throw new Error(
      `tls.key_file: ${keyFile} is not the key of the certificate in tls.cert_file, ${certFile}`,
    );
  }
  if (shown && own) checkTogether(cert, key, certFile);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** OpenSSL's own words would not name the file. */
function certificateIn(pem: string, key: string, file: string | undefined): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`tls.${key}: ${file} holds no certificate that can be read`);
  }
}

/** All else that OpenSSL may find: a bad certificate further down the chain, a key that is too weak. */
function checkTogether(cert: string | undefined, key: string | undefined, file: string | undefined): void {
  try {
    createSecureContext({ ca: [], cert, key });
  } catch (error) {
    throw new Error(`tls.cert_file: ${file} cannot be used (${oneLine((error as Error).message)})`);
  }
}

function keyIn(pem: string, file: string | undefined): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    const locked = pem.includes("ENCRYPTED");
    const what = locked ? "is encrypted: give a key without a passphrase" : "holds no key that can be read";
    throw new Error(`tls.key_file: ${file} ${what}`);
  }
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

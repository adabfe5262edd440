import { type ClientHttp2Session, connect } from "node:http2";
import type { Socket } from "node:net";
import type { OtlpSettings } from "../settings.ts";
import { readCertificates } from "./tls.ts";

const keepAliveMs = 30_000;

/** One HTTP/2 connection, and what has been seen of its peer. */
export interface Link {
  readonly session: ClientHttp2Session;
  /** The peer has sent its settings: it does speak HTTP/2. */
  spoke: boolean;
  /** Requests that were answered on it. */
  answered: number;
  error: Error | undefined;
  /** Requests under way on it. */
  open: number;
  /** No new request goes on it; it ends with the last one that does. */
  dropped: boolean;
}

export interface Connection {
  /** The connection that is there, or a new one. Throws when a certificate cannot be read. */
  link(): Link;
  /** A request on it has ended; `drop` tells that nothing more is to be expected of this connection. */
  release(link: Link, drop: boolean): void;
}

/** Keeps one connection to the collector, opened anew after GOAWAY, an error or its end. */
export function connectionTo({ url, tls }: OtlpSettings): Connection {
  const { origin, protocol } = new URL(url);
  let current: Link | undefined;

  function open(): Link {
    const session = connect(origin, protocol === "https:" ? readCertificates(tls) : {});
    const link: Link = { session, spoke: false, answered: 0, error: undefined, open: 0, dropped: false };
    session.on("connect", (_, socket) => {
      (socket as Socket).setKeepAlive(true, keepAliveMs);
      // Not every server refuses a client whose ALPN it does not know; without HTTP/2 it could only be misread.
      if (protocol === "https:" && session.alpnProtocol !== "h2") session.destroy(noHttp2());
    });
    session.on("remoteSettings", () => {
      link.spoke = true;
    });
    session.on("error", (error) => {
      link.error ??= error;
    });
    return link;
  }

  return {
    link() {
      if (current === undefined || current.session.closed || current.session.destroyed) current = open();
      current.open += 1;
      return current;
    },
    release(link, drop) {
      link.open -= 1;
      if (drop) {
        link.dropped = true;
        if (current === link) current = undefined;
      }
      // Closing it would wait for a peer that may be gone.
      if (link.dropped && link.open === 0) link.session.destroy();
    },
  };
}

const noHttp2 = (): Error =>
  Object.assign(new Error("TLS: no HTTP/2 (ALPN)"), { code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL" });

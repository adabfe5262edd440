import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";

const patienceMs = 1000;
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/**
 * Whether a port that closed a plain connection without a word speaks TLS. Nothing of the user's is sent, so its
 * certificate does not matter. Never rejects.
 */
export function speaksTls(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ ...target(url, 443), rejectUnauthorized: false });
    const settle = (answer: boolean): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(patienceMs, () => settle(false));
    socket.on("secureConnect", () => settle(true));
    // A handshake that fails on the certificate it asks for is TLS as well.
    socket.on("error", (error: NodeJS.ErrnoException) => settle(/ALERT/.test(error.code ?? "")));
    socket.on("close", () => settle(false));
  });
}

/** Whether a port that answered HTTP/2 with something else speaks HTTP/1. Never rejects. */
export function speaksHttp1(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectPlain(target(url, 80), () => socket.write(preface));
    const settle = (answer: boolean): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(patienceMs, () => settle(false));
    socket.on("data", (first) => settle(first.toString("latin1").startsWith("HTTP/1")));
    socket.on("error", () => settle(false));
    socket.on("close", () => settle(false));
  });
}

const target = ({ hostname, port }: URL, otherwise: number): { host: string; port: number } => ({
  host: hostname.replace(/^\[|\]$/g, ""),
  port: port === "" ? otherwise : Number(port),
});

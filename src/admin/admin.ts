import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Reload } from "../reloading.ts";
import { type Answer, type Handler, isRead, notAllowed, notFound } from "./http.ts";

export interface AdminPorts {
  /** Bearer token in force; without one, no call that changes something is taken. */
  token(): string | undefined;
  /** The last reload; undefined where there was none since the start. */
  lastReload(): Reload | undefined;
  reload(): Promise<Reload>;
}

/** What the operator may ask: `GET /reload` how the last one went, `POST /reload` for one now. */
export const admin =
  ({ token, lastReload, reload }: AdminPorts): Handler =>
  async (request, path) => {
    if (path !== "/reload") return notFound("/reload");
    if (isRead(request)) return { status: 200, body: { last: lastReload() ?? null } };
    if (request.method !== "POST") return notAllowed("GET", "POST");
    const refused = refusal(request, token());
    if (refused) return refused;
    const done = await reload();
    return { status: done.applied ? 200 : 422, body: done };
  };

function refusal(request: IncomingMessage, token: string | undefined): Answer | undefined {
  if (token === undefined)
    return {
      status: 403,
      body: {
        error: "no call that changes something is taken before admin.token is set in the configuration",
      },
    };
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  // Digests are of one length, and how long the comparison takes says nothing of the token.
  if (timingSafeEqual(digest(given), digest(token))) return undefined;
  return {
    status: 401,
    body: { error: "the header `authorization: Bearer TOKEN` must bring the token of admin.token" },
    headers: { "www-authenticate": "Bearer" },
  };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

import { type Handler, isRead, notAllowed, notFound } from "./http.ts";

/** How far the processor is. Anything but `ready` has its reasons. */
export interface Standing {
  readonly status: "starting" | "ready" | "stopping";
  readonly reasons: readonly string[];
  /** Number of the configuration in force; none before the first one is. */
  readonly generation?: number | undefined;
}

/**
 * What probes ask. `/livez` (and `/healthz`, as others call it) answers for as long as the event loop turns: whoever gets no
 * answer within its time limit restarts the process. `/readyz` answers 503 until requests can be served, and again from the
 * first moment of a shutdown.
 */
export const status =
  (standing: () => Standing): Handler =>
  (request, path) => {
    if (path !== "/livez" && path !== "/healthz" && path !== "/readyz") return notFound("/livez", "/readyz");
    if (!isRead(request)) return notAllowed("GET");
    if (path !== "/readyz") return { status: 200, body: { status: "live" } };
    const now = standing();
    return { status: now.status === "ready" && now.reasons.length === 0 ? 200 : 503, body: now };
  };

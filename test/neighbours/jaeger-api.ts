import { setTimeout as sleep } from "node:timers/promises";
import type { ReceivedSpan } from "../../scripts/demo/otlp-receiver.ts";
import type { SpanKind } from "../../scripts/demo/otlp-wire.ts";

/** What a person asks of Jaeger, over its API. */
export interface Jaeger {
  /** Ids of the traces that a search of the guide (`/api/traces?...`) finds. */
  search(api: string): Promise<Set<string>>;
  /** The spans of one trace; none where Jaeger does not know it. */
  trace(id: string): Promise<ReceivedSpan[]>;
  /** The spans of a trace as soon as its root has come. Rejects after `withinMs`. */
  waitFor(id: string, withinMs?: number): Promise<ReceivedSpan[]>;
}

interface Tag {
  readonly key: string;
  readonly value: unknown;
}
interface Found {
  readonly traceID: string;
  readonly spans: readonly {
    readonly traceID: string;
    readonly spanID: string;
    readonly operationName: string;
    readonly references?: readonly { readonly refType: string; readonly spanID: string }[];
    /** Microseconds, as is `duration`. */
    readonly startTime: number;
    readonly duration: number;
    readonly tags: readonly Tag[];
    readonly processID: string;
  }[];
  readonly processes: Readonly<
    Record<string, { readonly serviceName: string; readonly tags?: readonly Tag[] }>
  >;
}

/** @param base such as `http://127.0.0.1:16686`. */
export function jaegerApi(base: string): Jaeger {
  const ask = async (path: string): Promise<{ status: number; data: readonly Found[] }> => {
    const answer = await fetch(new URL(path, base));
    const body = (await answer.json()) as {
      data: readonly Found[] | null;
      errors?: readonly { msg: string }[] | null;
    };
    if (!answer.ok && answer.status !== 404)
      throw new Error(`${path}: ${answer.status} ${body.errors?.map(({ msg }) => msg).join(", ")}`);
    return { status: answer.status, data: body.data ?? [] };
  };
  const trace = async (id: string) => (await ask(`/api/traces/${id}`)).data.flatMap(spansOf);
  return {
    trace,
    async search(api) {
      const { status, data } = await ask(api);
      if (status !== 200) throw new Error(`${api}: ${status}`);
      return new Set(data.map(({ traceID }) => wholeId(traceID)));
    },
    async waitFor(id, withinMs = 30_000) {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const spans = await trace(id);
        if (spans.some(({ kind }) => kind === "SERVER")) return spans;
        if (Date.now() > deadline)
          throw new Error(`Jaeger has no root of ${id} after ${withinMs} ms, but ${spans.length} spans`);
        await sleep(100);
      }
    },
  };
}

const wholeId = (id: string): string => id.padStart(32, "0");

function spansOf({ spans, processes }: Found): ReceivedSpan[] {
  return spans.map((span) => {
    const attributes = asRecord(span.tags);
    const { serviceName, tags = [] } = processes[span.processID]!;
    const startNs = BigInt(span.startTime) * 1000n;
    return {
      traceId: wholeId(span.traceID),
      spanId: span.spanID,
      parentSpanId: span.references?.find(({ refType }) => refType === "CHILD_OF")?.spanID ?? "",
      name: span.operationName,
      kind: String(attributes["span.kind"] ?? "internal").toUpperCase() as SpanKind,
      startNs,
      endNs: startNs + BigInt(span.duration) * 1000n,
      attributes,
      status: { code: attributes.error === true ? "ERROR" : "UNSET", message: "" },
      links: [],
      events: [],
      resource: { ...asRecord(tags), "service.name": serviceName },
      scope: { name: "", version: "" },
      traceState: "",
      flags: 0,
    };
  });
}

const asRecord = (tags: readonly Tag[]): Record<string, unknown> =>
  Object.fromEntries(tags.map(({ key, value }) => [key, value]));

import { schema, type Tracing } from "../../config/schema.ts";
import { type Choice, type Choices, isVariable, wholeOf } from "./choices.ts";
import { otlp } from "./variables.ts";

/** Numbers of the exporter, each with its origin. Times are milliseconds. */
export type Limits = Readonly<
  Record<
    | "timeout_ms"
    | "retry.max_attempts"
    | "retry.initial_backoff_ms"
    | "retry.max_backoff_ms"
    | "batch.max_spans"
    | "batch.delay_ms"
    | "batch.timeout_ms"
    | "queue.max_spans"
    | "queue.max_bytes",
    Choice<number>
  >
>;

/** A variable has the range of the key that it stands for. */
export function limits({ timeout_ms, retry, batch, queue }: Tracing["exporter"], choices: Choices): Limits {
  const file = (path: string, value: number) => choices.file(`exporter.${path}`, value);
  const pick = (names: readonly string[], path: string, value: number) => {
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = shapeOf(path);
    return choices.pick(names, wholeOf(minimum, maximum), `exporter.${path}`, value);
  };
  const timeout = pick(otlp("TIMEOUT"), "timeout_ms", timeout_ms);
  const batchSpans = pick(["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], "batch.max_spans", batch.max_spans);
  const batchTimeout = atLeast(
    pick(["OTEL_BSP_EXPORT_TIMEOUT"], "batch.timeout_ms", batch.timeout_ms),
    timeout,
  );
  const queueSpans = atLeast(
    pick(["OTEL_BSP_MAX_QUEUE_SIZE"], "queue.max_spans", queue.max_spans),
    batchSpans,
  );
  return {
    timeout_ms: atMost(["timeout_ms", timeout], ["batch.timeout_ms", batchTimeout], choices),
    "retry.max_attempts": file("retry.max_attempts", retry.max_attempts),
    "retry.initial_backoff_ms": file("retry.initial_backoff_ms", retry.initial_backoff_ms),
    "retry.max_backoff_ms": file("retry.max_backoff_ms", retry.max_backoff_ms),
    "batch.max_spans": atMost(["batch.max_spans", batchSpans], ["queue.max_spans", queueSpans], choices),
    "batch.delay_ms": pick(["OTEL_BSP_SCHEDULE_DELAY"], "batch.delay_ms", batch.delay_ms),
    "batch.timeout_ms": batchTimeout,
    "queue.max_spans": queueSpans,
    "queue.max_bytes": file("queue.max_bytes", queue.max_bytes),
  };
}

/** A limit that is a default gives way to what was asked for. */
function atLeast(limit: Choice<number>, inner: Choice<number>): Choice<number> {
  return limit.from === "default" && inner.from !== "default" && inner.value > limit.value ? inner : limit;
}

/** Only a variable can bring two that were asked for out of order, a file that does is refused. A default gives way. */
function atMost([key, choice]: Bound, [limitKey, limit]: Bound, { warnings }: Choices): Choice<number> {
  if (choice.value <= limit.value) return choice;
  const name = (key: string, { from }: Choice<number>) => (isVariable(from) ? from : `${key} (${from})`);
  if (choice.from !== "default")
    warnings.push(
      `${name(key, choice)} is ${choice.value}, above ${name(limitKey, limit)}; ${limit.value} is used`,
    );
  return limit;
}

type Bound = readonly [key: string, choice: Choice<number>];

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly minimum?: number;
  readonly maximum?: number;
}

function shapeOf(path: string): Shape {
  return ["observability", "tracing", "exporter", ...path.split(".")].reduce<Shape>(
    (shape, key) => shape.properties?.[key] ?? {},
    schema as unknown as Shape,
  );
}

import type { Exported } from "../trace-exporter.ts";

/**
 * One result of several: `done` is called when the last has come. Of several reasons the one that most spans were lost
 * for counts; every message is kept.
 */
export function together(parts: number, done: (result: Exported) => void): (result: Exported) => void {
  if (parts === 1) return done;
  const results: Exported[] = [];
  return (result) => {
    if (results.push(result) < parts) return;
    const sum = (key: "exported" | "failed") => results.reduce((total, one) => total + one[key], 0);
    const [worst] = results.toSorted((a, b) => b.failed - a.failed);
    const messages = [...new Set(results.flatMap(({ message }) => message ?? []))];
    done({
      exported: sum("exported"),
      failed: sum("failed"),
      ...(worst?.reason !== undefined && { reason: worst.reason }),
      ...(messages.length > 0 && { message: messages.join("; ") }),
    });
  };
}

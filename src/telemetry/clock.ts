const reanchorMs = 5;
let offset = performance.timeOrigin;
let checkedAt = 0;

/** Milliseconds of the monotonic clock, with fractions. */
export const now = (): number => performance.now();

/**
 * What to add to `now()` for milliseconds since the epoch. Looked at once a second: a suspended machine or a
 * stepped clock moves the wall clock, and the monotonic clock never tells.
 */
export function epochOffsetMs(): number {
  const at = now();
  if (at - checkedAt > 1000) {
    checkedAt = at;
    const measured = Date.now() - at;
    if (Math.abs(measured - offset) > reanchorMs) offset = measured;
  }
  return offset;
}

/** A time as Go writes it: RFC 3339 with as much of a fraction as it needs; empty for none. @param ms - Since the epoch. */
export function timeText(ms: number | null): string {
  return ms === null ? "" : new Date(ms).toISOString().replace(/\.?0*Z$/, "Z");
}

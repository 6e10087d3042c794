import type { Chance } from "./chance.ts";

/** What may go wrong in one schedule, and how often. Each schedule draws its own mix, so that rare mixes get their turn. */
export interface Faults {
  /** A process dies at a step. */
  readonly crash: number;
  /** A write of the store fails before, or after it took effect. */
  readonly storeFails: number;
  /** The disk is full: every write of a while fails. */
  readonly diskFull: number;
  /** The database refuses a statement. */
  readonly statement: number;
  /** An answer of the database is lost, after the statement took effect or before. */
  readonly lostAnswer: number;
  /** A call of the database is slow, beyond the client's time-outs. */
  readonly slow: number;
  /** The database goes away for a while, at a step. */
  readonly outage: number;
  /** Whether a read of the store is a place to switch at. */
  readonly readPoints: number;
  /** The one thing that is wrong with time in this schedule. */
  readonly time: "sound" | "pauses" | "jumps-forward" | "jumps-back";
  readonly daemons: number;
}

export function drawFaults(chance: Chance): Faults {
  const maybe = (rate: number): number => (chance.roll(0.5) ? rate * (0.2 + chance.int(100) / 60) : 0);
  const time = chance.pick<Faults["time"]>(["sound", "sound", "pauses", "jumps-forward", "jumps-back"]);
  return {
    crash: maybe(0.02),
    storeFails: maybe(0.02),
    diskFull: chance.roll(0.15) ? 0.01 : 0,
    statement: maybe(0.05),
    lostAnswer: maybe(0.08),
    slow: maybe(0.08),
    outage: chance.roll(0.3) ? 0.004 : 0,
    readPoints: chance.pick([0.1, 0.3, 1]),
    time,
    daemons: chance.pick([0, 1, 1, 2, 2]),
  };
}

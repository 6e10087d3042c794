import type { JsonObject } from "../../../base/json.ts";
import type { EngineStorage, EngineWrite } from "../../../framework/storage.ts";
import { type AcmeTidied, NOTHING_TIDIED } from "../acme/tidy.ts";
import type { TidyTerms } from "./fields.ts";

/** What is gone through, in this order. */
export const PHASES = ["certificates", "revocations", "issuers", "acme"] as const;
export type Phase = (typeof PHASES)[number];

export type TidyOutcome = "Inactive" | "Running" | "Finished" | "Error" | "Cancelled";

/** What a tidy has done so far. */
export interface TidyCounts {
  readonly certs: number;
  readonly revoked: number;
  readonly missingIssuer: number;
  readonly issuers: number;
  readonly acme: AcmeTidied;
}

/** The tidy that runs, or else the last one. It goes on in steps, each due work: whoever finds it due takes the next. */
export interface TidyRecord {
  readonly outcome: TidyOutcome;
  readonly terms: TidyTerms;
  /** Milliseconds; 0: not yet. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly error: string;
  readonly phase: Phase;
  /** The last name that was gone through in this phase; empty: it begins. */
  readonly after: string;
  readonly counts: TidyCounts;
  readonly isAuto: boolean;
}

export const TIDY_KEY = "tidy/run";

export const NO_COUNTS: TidyCounts = {
  certs: 0,
  revoked: 0,
  missingIssuer: 0,
  issuers: 0,
  acme: NOTHING_TIDIED,
};

export async function readTidy(
  storage: EngineStorage,
): Promise<{ readonly record: TidyRecord | null; readonly version: number }> {
  const entry = await storage.get(TIDY_KEY);
  return entry === null
    ? { record: null, version: 0 }
    : { record: entry.value as unknown as TidyRecord, version: entry.version };
}

/** @param dueAt - Of the next step, milliseconds; null: there is none. */
export function tidyWrite(record: TidyRecord, dueAt: number | null, expect: number): EngineWrite {
  return { op: "put", key: TIDY_KEY, value: record as unknown as JsonObject, dueAt, expect };
}

/** How something stands: as it should; worth knowing; or so that somebody has to do something. */
export type FindingState = "ok" | "note" | "problem";

/** What one check found. */
export interface Finding {
  /** What was looked at: `seal`. */
  readonly check: string;
  readonly state: FindingState;
  /** One clause, lower case, without a full stop; what to do about it included. */
  readonly text: string;
}

export function fine(check: string, text: string): Finding {
  return { check, state: "ok", text };
}

export function note(check: string, text: string): Finding {
  return { check, state: "note", text };
}

export function problem(check: string, text: string): Finding {
  return { check, state: "problem", text };
}

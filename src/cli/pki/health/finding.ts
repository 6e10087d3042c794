/** How bad a finding is; the number is the exit code of the worst one, from `informational` on. */
export const STATUS_CODES = {
  not_applicable: 0,
  ok: 1,
  informational: 2,
  warning: 3,
  critical: 4,
  invalid_version: 5,
  insufficient_permissions: 6,
} as const;

export type Status = keyof typeof STATUS_CODES;

/** What a check found at one place. */
export interface Finding {
  readonly status: Status;
  /** The API's path: `/pki/roles/web`. */
  readonly endpoint: string;
  readonly message: string;
}

/** What `-return-indicator` takes, with the least code that makes the command's exit code. */
export const INDICATORS: Readonly<Record<string, number>> = {
  default: STATUS_CODES.informational,
  informational: STATUS_CODES.informational,
  warning: STATUS_CODES.warning,
  critical: STATUS_CODES.critical,
  permission: STATUS_CODES.invalid_version,
};

/** The exit code for all that was found: that of the worst finding, or 0 when it is below what counts. */
export function exitCodeFor(findings: readonly Finding[], indicator: string): number {
  const worst = Math.max(0, ...findings.map(({ status }) => STATUS_CODES[status]));
  return worst >= (INDICATORS[indicator] ?? STATUS_CODES.informational) ? worst : 0;
}

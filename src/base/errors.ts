/**
 * Every failure a user can meet is one of these. `code` is stable and is what code switches on; `message` is for people:
 * one sentence, what failed and what to do next, never with a secret in it.
 */
export const ERROR_CODES = [
  // The store.
  "STORE_MISSING",
  "STORE_CORRUPT",
  "STORE_FOREIGN",
  "STORE_TOO_NEW",
  "STORE_TOO_OLD",
  "STORE_LOCKED",
  "STORE_FULL",
  "STORE_READ_ONLY",
  "STORE_PERMISSIONS",
  "STORE_IO",
  "STORE_CONFLICT",
  // The barrier and its seals.
  "SEALED",
  "SEAL_UNAVAILABLE",
  "SEAL_WRONG_KEY",
  "BARRIER_DAMAGED",
  // The machine.
  "KEYCHAIN_UNAVAILABLE",
  "FILE",
  // A backend (a database, a cloud) refused or could not be reached.
  "BACKEND",
  // The API over a socket: a daemon cannot listen, or a client gets no answer.
  "LISTEN",
  "UNREACHABLE",
  // Bad arguments on this side.
  "USAGE",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A failure with a stable code. */
export class VsecError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "VsecError";
    this.code = code;
  }
}

/** True when `error` is a {@link VsecError} with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is VsecError {
  return error instanceof VsecError && error.code === code;
}

/**
 * A refusal that the API answers with its own status and text, which clients match on.
 * @see reference: status codes and error texts of Vault's HTTP API.
 */
export class ApiError extends Error {
  readonly status: number;
  /** The entries of the answer's `errors` array; empty for a plain 404. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];

  constructor(
    status: number,
    errors: string | readonly string[],
    options?: { cause?: unknown; warnings?: readonly string[] },
  ) {
    const list = typeof errors === "string" ? [errors] : errors;
    super(
      list.join("; ") || `status ${status}`,
      options?.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "ApiError";
    this.status = status;
    this.errors = list;
    this.warnings = options?.warnings ?? [];
  }
}

/** A 400 with the given text: the request was understood and is wrong. */
export function badRequest(text: string, cause?: unknown): ApiError {
  return new ApiError(400, text, { cause });
}

/** The form in which Vault wraps a bare error of an authenticated path: `1 error occurred:` and a bullet for each. */
export function aggregate(...texts: readonly string[]): string {
  const head = texts.length === 1 ? "1 error occurred:" : `${texts.length} errors occurred:`;
  return `${head}\n${texts.map((text) => `\t* ${text}\n`).join("")}\n`;
}

/**
 * What the system said of a call that failed, for a sentence that names the file already: of
 * `EACCES: permission denied, mkdir '/x'` the middle.
 */
export function systemReason(error: unknown): string {
  const text = messageOf(error);
  const [, reason] = /^E[A-Z0-9]+: (.+?), \w+(?: '.*)?$/s.exec(text) ?? [];
  return reason ?? text;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

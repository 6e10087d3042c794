/** The failures of an SQL server while it is in use, before a plugin says them to its callers. */

/** The connection broke, or never came to be; the statement that was under way may have run. */
export class ConnectionLost extends Error {
  readonly serverCode: string | undefined;

  constructor(message: string, serverCode?: string) {
    super(message);
    this.name = "ConnectionLost";
    this.serverCode = serverCode;
  }
}

/** The server refused a statement. */
export class StatementRefused extends Error {
  /** The server's own code: an SQLSTATE, an error number. */
  readonly serverCode: string;
  readonly detail: string | undefined;

  constructor(message: string, serverCode: string, detail?: string) {
    super(message);
    this.name = "StatementRefused";
    this.serverCode = serverCode;
    this.detail = detail;
  }
}

/** Fewer characters of a secret than this tell nothing of it. */
const OVERLAP_MIN = 3;

/** Takes secrets out of texts, and also the fragments of them that a server quotes in a syntax error. */
export class Redactor {
  readonly #secrets: readonly string[];
  readonly #known: readonly string[];

  /** @param known - Words that are no secrets where a server quotes them, though a secret may have them in it: a user's name. */
  constructor(secrets: readonly string[], known: readonly string[] = []) {
    this.#known = known;
    this.#secrets = secrets.filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
  }

  /** A redactor that knows more secrets. */
  with(...secrets: readonly string[]): Redactor {
    return new Redactor([...this.#secrets, ...secrets], this.#known);
  }

  /** @param isSyntaxError - The server quotes the very word it stumbled over, which may be a piece of a secret. */
  text(message: string, isSyntaxError = false): string {
    let clean = message;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, "[password]");
    const fragmentLengthMin = isSyntaxError ? 1 : 4;
    const isOfSecret = (fragment: string): boolean =>
      fragment.length >= fragmentLengthMin && this.#secrets.some((secret) => secret.includes(fragment));
    return clean.replace(/"([^"]*)"?/g, (whole, fragment: string) =>
      isOfSecret(fragment) && (isSyntaxError || !this.#known.includes(fragment)) ? '"[password]"' : whole,
    );
  }

  /** Whether a text that a server quotes from a statement may hold a piece of a secret, whole or cut off at either end. */
  overlaps(fragment: string): boolean {
    return this.#secrets.some((secret) => {
      if (secret.includes(fragment) || fragment.includes(secret)) return fragment !== "";
      for (let length = Math.min(secret.length, fragment.length); length >= OVERLAP_MIN; length -= 1) {
        if (fragment.startsWith(secret.slice(-length)) || fragment.endsWith(secret.slice(0, length)))
          return true;
      }
      return false;
    });
  }
}

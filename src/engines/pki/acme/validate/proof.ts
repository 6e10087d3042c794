import type { AcmeConfig } from "../config.ts";
import type { Identifier } from "../identifiers.ts";

/** What a challenge's validation looks for, and where. */
export interface Proof {
  readonly identifier: Identifier;
  readonly token: string;
  /** `<token>.<thumbprint of the account's key>` (RFC 8555 section 8.1). */
  readonly keyAuthorization: string;
  readonly config: AcmeConfig;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

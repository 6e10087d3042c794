import { ApiError, VsecError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";

/**
 * A secret that is about to be issued: the `prepare` step of a dynamic secret. It has no side effect; it chooses names and
 * says what revocation will need. The core commits the lease as pending, calls {@link LeasePlan.create}, commits the lease
 * as active, and only then shows the data to the caller.
 */
export interface LeasePlan {
  /** A {@link SecretType.name} of the same engine. */
  readonly secret: string;
  /** All that renewal and revocation need, should role, connection and mount be gone. Stored with the lease, encrypted. */
  readonly internal: JsonObject;
  /** What the backend calls the credential (a user name, an access key id), so that the lease can be found by it. */
  readonly principal?: string;
  /** 0: the mount's default. */
  readonly ttlSeconds: number;
  /** 0: the mount's maximum. */
  readonly maxTtlSeconds: number;
  /** How many leases of the same request path may live at once, this one included; 0, the default, for any number. */
  readonly liveMax?: number;
  /** Default true. */
  readonly renewable?: boolean;
  /**
   * The side effect. It must end (one way or the other) within the secret type's `createTimeoutMs`. When it throws, the
   * core revokes what may have been made; the lease stays due until its absence is verified. Except for {@link NothingMade}.
   * @returns The answer's data: what the caller came for.
   */
  create(lease: NewLease): Promise<JsonObject>;
}

/** `create` failed before it asked the backend for anything: there is nothing to revoke, and the lease is forgotten at once. */
export class NothingMade extends ApiError {}

/** The lease a secret is created under. */
export interface NewLease {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** When `create` must have ended. What cannot end by then must not be begun: the lease may be revoked soon after. */
  readonly endBy: number;
  /** Has the lease found by another name too, which the backend chose: an access key id, a serial number. The last one counts. */
  alsoCall(alias: string): void;
}

/** An issued secret as renewal and revocation see it. */
export interface LeasedSecret {
  readonly leaseId: string;
  readonly internal: JsonObject;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/** The role's present terms, which a renewal goes by. */
export interface RenewTerms {
  /** 0: the mount's default. */
  readonly ttlSeconds: number;
  /** 0: the mount's maximum. */
  readonly maxTtlSeconds: number;
  /** Moves the backend's own expiry, where it has one. Called before the lease is committed with the new expiry. */
  apply?(expiresAt: number): Promise<void>;
}

/** One lease's outcome in a batch: null when the secret is verified to be gone, else why it is not. */
export type RevokeOutcome = null | Error;

/**
 * The outcome of a secret whose turn did not come, because those before it in the batch took all the time there was. It is due
 * again like one that failed, and it does not count towards those that count as irrevocable.
 */
export class NotTried extends VsecError {
  constructor(what: string) {
    super("BACKEND", `${what}: its turn did not come in time`);
  }
}

/** A kind of dynamic secret. */
export interface SecretType {
  readonly name: string;
  /** The longest that `create` can take; the pending lease is due some time after it. */
  readonly createTimeoutMs: number;
  /** Absent: leases of this type are not renewable. */
  renew?(secret: LeasedSecret): Promise<RenewTerms>;
  /** Leases with the same key may be revoked in one batch (a connection's name). Default: all of a mount's. */
  batchKey?(secret: LeasedSecret): string;
  /**
   * Makes the secrets gone, sessions included, and verifies it. Idempotent: already gone is success.
   * @returns One outcome for each secret, in order. Throwing counts as that failure for each.
   */
  revoke(secrets: readonly LeasedSecret[]): Promise<readonly RevokeOutcome[]>;
}

import type { Write } from "../../barrier/port.ts";
import { badRequest, hasCode } from "../../base/errors.ts";
import type { Services } from "../services.ts";
import { resolveTtl, type Ttl } from "../ttl.ts";
import { sealBatchToken } from "./batch.ts";
import type { Caller } from "./caller.ts";
import {
  isLive,
  newTokenWrites,
  type TokenLogin,
  type TokenRecord,
  type TokenType,
  tokenKey,
} from "./record.ts";
import { newAccessor, newTokenId, readToken, tokenHash } from "./store.ts";

/** A token to be made, every question of who may have it already answered. */
export interface TokenSpec {
  readonly type: TokenType;
  /** Chosen by the caller; absent: by chance. */
  readonly id?: string;
  /** In their final form: lower case, sorted, without repetitions. */
  readonly policies: readonly string[];
  /** Whose child it becomes; null: an orphan. */
  readonly parent: Caller | null;
  /** 0: the mount's default; with the root policy alone: no expiry, unless another figure sets one. */
  readonly ttlSeconds: number;
  /** A role's maximum; 0: the mount's. */
  readonly maxTtlSeconds?: number;
  readonly explicitMaxTtlSeconds: number;
  readonly periodSeconds: number;
  readonly numUses: number;
  readonly renewable: boolean;
  readonly displayName: string;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly path: string;
  /** Empty: none. */
  readonly entityId: string;
  readonly boundCidrs: readonly string[];
  readonly role: string | null;
  readonly noDefaultPolicy: boolean;
  readonly login: TokenLogin | null;
  readonly mountTtl: { readonly defaultSeconds: number; readonly maxSeconds: number };
}

export interface CreatedToken {
  /** The token itself, shown once. */
  readonly id: string;
  readonly hash: string;
  readonly record: TokenRecord;
  readonly warnings: readonly string[];
}

const RACE_ATTEMPTS_MAX = 20;
export const NO_PARENT = "parent token lookup failed: no parent found";
export const DUPLICATE_ID = "cannot create a token with a duplicate ID";

/**
 * Makes a token. All of it is laid in one commit, under the condition that its parent still lives: a kill leaves the whole
 * token or nothing, and no child slips into a tree that is being revoked. Nothing is stored of a batch token.
 * @throws ApiError 400 for an id that is taken, a parent that is gone, or TTLs that leave no time.
 */
export async function createToken(services: Services, spec: TokenSpec): Promise<CreatedToken> {
  const now = services.clock.now();
  const ttl = ttlOf(spec, now);
  const record = recordOf(services, spec, ttl, now);
  if (spec.type === "batch") {
    const id = sealBatchToken(services.barrier, {
      record,
      parentAccessor: spec.parent?.record.accessor ?? "",
    });
    return { id, hash: tokenHash(services.barrier, id), record, warnings: ttl.warnings };
  }
  const id = spec.id ?? newTokenId(services.random);
  const hash = tokenHash(services.barrier, id);
  await lay(services, spec.parent, hash, newTokenWrites(hash, record));
  return { id, hash, record, warnings: ttl.warnings };
}

/** Only a token with the root policy can have no end, and only when nothing gives it one. */
function ttlOf(spec: TokenSpec, now: number): Ttl {
  const { policies, ttlSeconds, periodSeconds, explicitMaxTtlSeconds } = spec;
  const hasFigure = ttlSeconds > 0 || periodSeconds > 0 || explicitMaxTtlSeconds > 0;
  if (policies.includes("root") && !hasFigure) return { seconds: 0, warnings: [] };
  return resolveTtl({
    incrementSeconds: 0,
    ttlSeconds,
    maxTtlSeconds: spec.maxTtlSeconds ?? 0,
    periodSeconds,
    explicitMaxTtlSeconds,
    mount: spec.mountTtl,
    now,
    issuedAt: now,
  });
}

function recordOf(services: Services, spec: TokenSpec, ttl: Ttl, now: number): TokenRecord {
  const isService = spec.type === "service";
  const isEndless = ttl.seconds === 0;
  return {
    v: 1,
    type: spec.type,
    state: "live",
    keepsChildren: false,
    accessor: isService ? newAccessor(services.random) : "",
    policies: spec.policies,
    path: spec.path,
    displayName: spec.displayName,
    createdAt: now,
    expiresAt: isEndless ? null : now + ttl.seconds * 1000,
    renewedAt: null,
    ttlSeconds: ttl.seconds,
    explicitMaxTtlSeconds: spec.explicitMaxTtlSeconds,
    periodSeconds: spec.periodSeconds,
    numUses: spec.numUses,
    creationNumUses: spec.numUses,
    renewable: spec.renewable && isService && !isEndless,
    parentHash: spec.parent?.tokenHash ?? null,
    meta: spec.meta,
    role: spec.role,
    entityId: spec.entityId,
    // Nobody is to lock himself out for good.
    boundCidrs: isEndless ? [] : spec.boundCidrs,
    noDefaultPolicy: spec.noDefaultPolicy,
    login: isService ? spec.login : null,
  };
}

async function lay(
  services: Services,
  parent: Caller | null,
  hash: string,
  writes: readonly Write[],
): Promise<void> {
  const { barrier, clock } = services;
  let version = parent?.version ?? 0;
  for (let attempt = 1; ; attempt += 1) {
    const guard: Write[] =
      parent === null ? [] : [{ op: "check", key: tokenKey(parent.tokenHash), expect: version }];
    try {
      await barrier.commit([...writes, ...guard]);
      return;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
    if ((await readToken(barrier, hash)) !== null) throw badRequest(DUPLICATE_ID);
    if (parent === null) continue;
    const present = await readToken(barrier, parent.tokenHash);
    if (present === null || !isLive(present.record, clock.now())) throw badRequest(NO_PARENT);
    version = present.version;
  }
}

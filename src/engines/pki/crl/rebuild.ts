import type { MountContext } from "../../../framework/backend.ts";
import { retryOnConflict } from "../../../framework/on-conflict.ts";
import type { EngineWrite } from "../../../framework/storage.ts";
import { type IssuerRecord, readAuthority, readIssuers } from "../issuers/record.ts";
import { type SigningIssuer, signingIssuerOf } from "../issuers/signing.ts";
import { rebuildComplete, rebuildDelta } from "./build.ts";
import { type CrlConfig, readCrlConfig } from "./config.ts";
import {
  type CrlKind,
  type CrlState,
  crlStateWrite,
  type PublishedCrl,
  readCrlState,
  readPublished,
} from "./state.ts";

/** What a change of a scope's list amounts to. */
export interface ScopeChange {
  readonly state: CrlState;
  /** Written in the same commit. */
  readonly also: readonly EngineWrite[];
  /** What has to be built of the list as it is then. */
  readonly build: CrlKind | null;
}

/**
 * Changes the list of a scope, and rebuilds what has to be, as one commit.
 * @param decide - From the present list; null: nothing changes. May be called again.
 */
export async function changeScope(
  context: MountContext,
  scope: string,
  decide: (state: CrlState, config: CrlConfig) => ScopeChange | null | Promise<ScopeChange | null>,
): Promise<void> {
  const { storage, clock } = context;
  const issuer = await crlIssuer(context, scope);
  await retryOnConflict(async () => {
    const config = await readCrlConfig(storage);
    const { state, version } = await readCrlState(storage, scope);
    const change = await decide(state, config);
    if (change === null) return;
    // Nobody can sign, and there is nothing to keep: whoever asks for the CRL, without a token, must not have it written.
    if (issuer === null && change.state === state && change.also.length === 0 && isUndue(state)) return;
    // A delta needs a complete CRL that it belongs to.
    const isDelta = change.build === "delta" && change.state.completeNumber > 0;
    const rebuild = isDelta ? rebuildDelta : rebuildComplete;
    const { state: next, writes } =
      change.build === null || issuer === null
        ? { state: issuer === null ? undue(change.state) : change.state, writes: [] }
        : rebuild(scope, change.state, issuer, config, clock.now());
    await storage.commit([crlStateWrite(scope, next, version), ...writes, ...change.also]);
  });
}

/** The state as nothing that waits for its time. */
function undue(state: CrlState): CrlState {
  return { ...state, completeDueAt: null, deltaDueAt: null };
}

function isUndue({ completeDueAt, deltaDueAt }: CrlState): boolean {
  return completeDueAt === null && deltaDueAt === null;
}

/** The issuer that signs a scope's CRLs: the default one if it is one of them. Null: none of them may, or can. */
async function crlIssuer({ storage, log }: MountContext, scope: string): Promise<SigningIssuer | null> {
  const [issuers, { authority }] = await Promise.all([readIssuers(storage), readAuthority(storage)]);
  const able = issuers.filter(
    (issuer) => issuer.crlScope === scope && issuer.keyId !== "" && issuer.usage.includes("crl-signing"),
  );
  const record = able.find(({ id }) => id === authority.defaultIssuer) ?? able[0];
  if (record === undefined) return null;
  try {
    return await signingIssuerOf(storage, record, "crl-signing");
  } catch (error) {
    // A revocation must not fail because a URL's template is not filled; the CRL of an issuer says none then.
    log.warn("the CRL of an issuer cannot be built", { issuer: record.id, error: String(error) });
    return null;
  }
}

/** Rebuilds the CRLs of one scope now. */
export function rebuildScope(
  context: MountContext,
  scope: string,
  build: CrlKind = "complete",
): Promise<void> {
  return changeScope(context, scope, (state) => ({ state, also: [], build }));
}

/** The scopes that the mount's issuers have. */
export async function scopesOf({ storage }: MountContext): Promise<readonly string[]> {
  const issuers = await readIssuers(storage);
  return [...new Set(issuers.map(({ crlScope }) => crlScope))];
}

/** Rebuilds the CRLs of all issuers now. */
export async function rebuildAll(context: MountContext, build: CrlKind = "complete"): Promise<void> {
  for (const scope of await scopesOf(context)) await rebuildScope(context, scope, build);
}

/** Due work: rebuilds what is due of a scope, and settles when the next is. */
export async function settleScope(context: MountContext, scope: string): Promise<void> {
  const scopes = await scopesOf(context);
  await changeScope(context, scope, (state) => {
    const now = context.clock.now();
    // Whose issuers are gone has nobody left to sign; the list stays, for when they come back.
    if (!scopes.includes(scope)) {
      return { state: undue(state), also: [], build: null };
    }
    if (state.completeDueAt !== null && state.completeDueAt <= now)
      return { state, also: [], build: "complete" };
    if (state.deltaDueAt !== null && state.deltaDueAt <= now) return { state, also: [], build: "delta" };
    return null;
  });
}

/**
 * The CRL of an issuer that is valid now. One that was never built, or that has expired because nothing ran meanwhile, is
 * built for whoever asks for it.
 * @returns Null: nobody may sign one; or, of a delta, there are no deltas.
 */
export async function currentCrl(
  context: MountContext,
  { crlScope }: Pick<IssuerRecord, "crlScope">,
  kind: CrlKind,
): Promise<PublishedCrl | null> {
  const { storage, clock } = context;
  const present = await readPublished(storage, crlScope, kind);
  if (present !== null && present.nextUpdate > clock.now()) return present;
  if (kind === "delta" && !(await readCrlConfig(storage)).enable_delta) return null;
  await rebuildScope(context, crlScope, "complete");
  return readPublished(storage, crlScope, kind);
}

import type { EngineWrite } from "../../../framework/storage.ts";
import type { SigningIssuer } from "../issuers/signing.ts";
import { buildCrl } from "../x509/crl.ts";
import { type CrlConfig, secondsOf } from "./config.ts";
import { revocationSigner } from "./signer.ts";
import {
  type CrlState,
  type PublishedCrl,
  publishedWrite,
  type Revocation,
  unpublishWrite,
} from "./state.ts";

/** A scope's state with its CRLs rebuilt, and the writes that publish them. */
export interface Rebuilt {
  readonly state: CrlState;
  readonly writes: readonly EngineWrite[];
}

/** Builds the complete CRL of a scope, and the delta to it where there are deltas. */
export function rebuildComplete(
  scope: string,
  state: CrlState,
  issuer: SigningIssuer,
  config: CrlConfig,
  now: number,
): Rebuilt {
  const number = state.lastNumber + 1;
  const crl = published(issuer, config, now, { number, revoked: config.disable ? [] : state.revoked });
  const expirySeconds = secondsOf(config, "expiry");
  const graceSeconds = Math.min(secondsOf(config, "auto_rebuild_grace_period"), expirySeconds / 2);
  const complete: CrlState = {
    ...state,
    lastNumber: number,
    completeNumber: number,
    published: state.revoked.length,
    completeDueAt: now + (expirySeconds - graceSeconds) * 1000,
    deltaDueAt: null,
  };
  const write = publishedWrite(scope, "complete", crl);
  if (!config.enable_delta) return { state: complete, writes: [write, unpublishWrite(scope, "delta")] };
  const delta = rebuildDelta(scope, complete, issuer, config, now);
  return { state: delta.state, writes: [write, ...delta.writes] };
}

/** Builds the delta CRL of a scope: what was revoked since its complete one. */
export function rebuildDelta(
  scope: string,
  state: CrlState,
  issuer: SigningIssuer,
  config: CrlConfig,
  now: number,
): Rebuilt {
  const number = state.lastNumber + 1;
  const revoked = config.disable ? [] : state.revoked.slice(state.published);
  const crl = published(issuer, config, now, { number, revoked, baseNumber: state.completeNumber });
  return {
    state: {
      ...state,
      lastNumber: number,
      deltaDueAt: now + secondsOf(config, "delta_rebuild_interval") * 1000,
    },
    writes: [publishedWrite(scope, "delta", crl)],
  };
}

interface Contents {
  readonly number: number;
  readonly revoked: readonly Revocation[];
  readonly baseNumber?: number;
}

function published(
  issuer: SigningIssuer,
  config: CrlConfig,
  now: number,
  { number, revoked, baseNumber }: Contents,
): PublishedCrl {
  const nextUpdate = now + secondsOf(config, "expiry") * 1000;
  const der = buildCrl({
    issuer: issuer.certificate,
    signer: revocationSigner(issuer),
    number,
    ...(baseNumber === undefined ? {} : { baseNumber }),
    thisUpdate: now,
    nextUpdate,
    revoked: revoked.map(([serial, revokedAt, reason = 0]) => ({
      serial: Buffer.from(serial, "hex"),
      revokedAt,
      reason,
    })),
    ...(baseNumber === undefined && config.enable_delta
      ? { deltaUrls: issuer.urls.deltaCrlDistributionPoints }
      : {}),
  });
  return { der: der.toString("base64"), number, thisUpdate: now, nextUpdate };
}

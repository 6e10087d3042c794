import type { EffectiveTtl } from "../mounts/mounts.ts";
import type { Services } from "../services.ts";
import { SYSTEM_TTL_SECONDS } from "../ttl.ts";
import type { TokenIdentity } from "./identity.ts";

/** Where the token method is mounted. */
export const TOKEN_MOUNT = "auth/token/";

/** The token method cannot be tuned: the system's TTLs are its own. */
export const TOKEN_MOUNT_TTL: EffectiveTtl = {
  defaultSeconds: SYSTEM_TTL_SECONDS,
  maxSeconds: SYSTEM_TTL_SECONDS,
};

/** What the paths of the token method work with. */
export interface TokenContext {
  readonly services: Services;
  readonly identity: TokenIdentity;
}

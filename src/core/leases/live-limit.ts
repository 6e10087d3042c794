import { createHash } from "node:crypto";
import { ABSENT, type Write } from "../../barrier/port.ts";
import { ApiError } from "../../base/errors.ts";
import { mountPrefix } from "../mounts/engine-storage.ts";
import type { Services } from "../services.ts";
import { listLeases } from "./lookup.ts";

/** Where the gates of a mount's limited paths lie; they go with its data. */
const GATES = "live-limit/";

/**
 * Counts the leases below a path, and makes the writes by which one more passes: they change the path's gate, so that of two
 * issuers that counted at the same time only one commits, and the other counts again.
 * @param path - The request's whole path, which the ids of its leases begin with.
 * @throws ApiError 429, as Vault's lease count quotas, when there are as many as may live at once. Leases whose revocation is
 *   under way, or fails, count: what they stand for is still there.
 */
export async function passLiveLimit(
  services: Services,
  mountUuid: string,
  path: string,
  liveMax: number,
): Promise<readonly Write[]> {
  const segment = createHash("sha256").update(path).digest("base64url").slice(0, 22);
  const key = mountPrefix(mountUuid) + GATES + segment;
  // The gate first: whoever passes between this and the counting makes the commit fail.
  const gate = await services.barrier.get(key);
  const live = (await listLeases(services, path)).length;
  if (live >= liveMax) {
    throw new ApiError(
      429,
      `"${path}" has ${live} live ${live === 1 ? "lease" : "leases"}, and its max_live is ${liveMax}: use one of them, or revoke some`,
    );
  }
  return [{ op: "put", key, value: new Uint8Array([1]), expect: gate?.version ?? ABSENT }];
}

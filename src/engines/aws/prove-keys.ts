import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { Clock } from "../../base/clock.ts";
import { VsecError } from "../../base/errors.ts";
import { type AwsKeys, type Clients, destroyClients, onSts } from "./clients.ts";
import { awsText } from "./errors.ts";

/** New keys count as working once AWS took them this often in a row. */
const SUCCESSES_IN_A_ROW = 5;
const PAUSE_MS = 1000;
const LOOKS_MAX = 60;

/**
 * Waits until AWS takes new keys, seen several times in a row, each time over a connection of its own, so that the endpoint's
 * servers take turns: they learn of keys one by one. That some do proves nothing about those that were not asked, the servers
 * of other services and regions among them.
 * @param endBy - Milliseconds since the epoch; no look begins later.
 * @throws VsecError BACKEND with AWS's last answer when it does not come to that.
 */
export async function proveKeys(clients: Clients, keys: AwsKeys, clock: Clock, endBy: number): Promise<void> {
  let inARow = 0;
  let last: unknown = new VsecError("BACKEND", "there was no time left");
  for (let look = 1; look <= LOOKS_MAX && clock.now() < endBy; look += 1) {
    try {
      await tryKeys(clients, keys);
      inARow += 1;
      if (inARow === SUCCESSES_IN_A_ROW) return;
    } catch (error) {
      inARow = 0;
      last = error;
    }
    await clock.sleep(PAUSE_MS);
  }
  throw new VsecError("BACKEND", `AWS does not take the access key ${keys.accessKey} yet: ${awsText(last)}`);
}

/** @throws what AWS answers to keys that it does not know. */
async function tryKeys(clients: Clients, keys: AwsKeys): Promise<void> {
  const own = await clients.withKeys(keys, 1);
  try {
    await onSts(own, (sts) => sts.send(new GetCallerIdentityCommand({})));
  } finally {
    destroyClients(own);
  }
}

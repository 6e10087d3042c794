import { isJsonObject, type JsonObject } from "../base/json.ts";
import type { CommandContext } from "./command-context.ts";
import { CommandFailure } from "./failure.ts";

/**
 * Revokes the leases below a prefix part by part, and shows on the terminal how far it is. What it leaves (a failure, a server
 * that does not know parts, the last word) is for the request that is sent anyway.
 * @returns Whether all of them are gone, so that nothing is left to be asked for.
 */
export async function revokeInParts(context: CommandContext, prefix: string): Promise<boolean> {
  const { stderr } = context.world;
  const started = performance.now();
  let total = 0;
  let [revoked, failed] = [0, 0];
  let after: string | undefined;
  do {
    const part = await nextPart(context, prefix, after);
    if (part === undefined) return false;
    total = numberOf(part.total, total);
    revoked += numberOf(part.revoked, 0);
    failed += numberOf(part.failed, 0);
    after = typeof part.next === "string" ? part.next : undefined;
    const seconds = (performance.now() - started) / 1000;
    if (after !== undefined) await stderr.write(`\r${progressText(revoked, failed, total, seconds)}\u001b[K`);
  } while (after !== undefined);
  await stderr.write("\r\u001b[K");
  return failed === 0;
}

/** How far it is: `Revoked 1500 of 10000 leases, 12 failed (about 20 s left)`. */
export function progressText(revoked: number, failed: number, total: number, seconds: number): string {
  const done = revoked + failed;
  const left = Math.max(total - done, 0);
  const leftSeconds = done === 0 ? 0 : Math.ceil((left / done) * seconds);
  const failures = failed === 0 ? "" : `, ${failed} failed`;
  return `Revoked ${revoked} of ${Math.max(total, done)} leases${failures} (about ${leftSeconds} s left)`;
}

/** Undefined: the server refused it or has no parts; the whole request will say what there is to say. */
async function nextPart(
  context: CommandContext,
  prefix: string,
  after: string | undefined,
): Promise<JsonObject | undefined> {
  const body = { sync: true, part: true, ...(after === undefined ? {} : { after }) };
  const path = `sys/leases/revoke-prefix/${prefix}`;
  try {
    const { body: answer } = await context.send({ method: "PUT", path, body }, { prefix: "" });
    const data = isJsonObject(answer) ? answer.data : undefined;
    return isJsonObject(data) ? data : undefined;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return undefined;
  }
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

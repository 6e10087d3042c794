import type { DatabaseError, LoginOutcome } from "../../plugin.ts";
import { Connection } from "./connection.ts";
import { connectFailure, SERVER_ERROR } from "./failures.ts";
import type { Account } from "./quoting.ts";
import type { MysqlSettings } from "./settings.ts";

/**
 * Logs in as a user and out again, without a database or settings that this user may have no right to.
 * @param accountsOf - The accounts of the user, for whatever host.
 * @throws DatabaseError when the server could not be asked.
 */
export async function verifyLogin(
  settings: MysqlSettings,
  timeoutMs: number,
  accountsOf: () => Promise<readonly Account[]>,
): Promise<LoginOutcome> {
  try {
    await (await Connection.open({ ...settings, database: "", variables: [] }, timeoutMs)).close();
    return "accepted";
  } catch (error) {
    const failure = connectFailure(error);
    if (failure.kind !== "auth") throw failure;
    if (failure.serverCode !== String(SERVER_ERROR.accessDenied)) return "barred";
    return (await isOfOtherHosts(failure, accountsOf)) ? "barred" : "refused";
  }
}

/** Whether the user has accounts, and none of them for the host that the server sees us at: then no password will do. */
async function isOfOtherHosts(
  { message }: DatabaseError,
  accountsOf: () => Promise<readonly Account[]>,
): Promise<boolean> {
  const seenAs = /'@'([^']+)'/.exec(message)?.[1];
  if (seenAs === undefined) return false;
  try {
    const accounts = await accountsOf();
    return accounts.length > 0 && accounts.every(({ host }) => !fits(host, seenAs));
  } catch {
    // Without an administrator who could look, it counts as what the server said it is.
    return false;
  }
}

/** Host patterns are those of LIKE. What is written otherwise, as with a netmask, is taken to fit. */
function fits(pattern: string, host: string): boolean {
  if (pattern === "" || pattern.includes("/")) return true;
  const text = pattern.replace(/[^%_]/g, (character) => character.replace(/[^\w-]/, "\\$&"));
  return new RegExp(`^${text.replaceAll("%", ".*").replaceAll("_", ".")}$`, "i").test(host);
}

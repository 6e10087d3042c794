import { type ConnectionConfig, detail } from "./config.ts";
import { DatabaseError, type DatabasePlugin, type LoginOutcome } from "./plugin.ts";

/**
 * Tries a login, for plugins that have no way of their own.
 * @param plugin - One that logs in as the user, and is of no other use: it is closed.
 * @throws DatabaseError when the server could not be asked.
 */
export async function tryLogin(plugin: DatabasePlugin): Promise<LoginOutcome> {
  try {
    await plugin.verify();
    return "accepted";
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    // Whoever is refused a statement has logged in, and may not do what administrators are tried by.
    if (error.kind === "statement") return "accepted";
    if (error.kind === "auth") return "refused";
    throw error;
  } finally {
    await plugin.close();
  }
}

/** Whether user and password of a connection can be replaced by others: a URL that has its own would log in with these. */
export function takesLogins({ details }: ConnectionConfig): boolean {
  const url = detail(details, "connection_url");
  return url === "" || (url.includes("{{username}}") && url.includes("{{password}}"));
}

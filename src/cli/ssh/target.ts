import type { Env } from "../../contract/environment.ts";
import { localFailure } from "../failure.ts";

/** Whom to log in as, and where. */
export interface SshTarget {
  readonly username: string;
  readonly host: string;
}

/** Reads `user@host`; without a user it is the one of this shell. @throws CommandFailure (exit 1) for anything else. */
export function parseTarget(text: string, env: Env): SshTarget {
  const at = text.lastIndexOf("@");
  const username = at === -1 ? (env.USER ?? env.LOGNAME ?? "") : text.slice(0, at);
  const host = text.slice(at + 1);
  // What begins with a dash would be an option of ssh.
  const isOdd = host === "" || host.startsWith("-") || username.startsWith("-") || /\s/.test(text);
  if (isOdd) throw localFailure(`Error parsing the host: ${JSON.stringify(text)} is not user@host`);
  if (username === "") throw localFailure("Missing the user to log in as: give user@host");
  return { username, host };
}

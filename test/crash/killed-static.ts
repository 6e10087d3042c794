/** The kill of a change of a static role's password at one place, and whether the password in force is known afterwards. */

import { logsIn } from "../e2e/database.ts";
import { type Arena, type Case, RECOVERY_MS } from "./arena.ts";
import { kill, type Place } from "./operations.ts";
import { ADOPT, staticRole, staticUser } from "./static-operations.ts";

export interface StaticOutcome {
  readonly signal: NodeJS.Signals | null;
  /** What the recovering daemon had to warn of. */
  readonly complaints: string;
  /** Whether static-creds logs in then; null where there is no such role. */
  readonly credsWork: boolean | null;
  /** And once more after a rotation by hand. */
  readonly rotatedWork: boolean | null;
  readonly initialWorks: boolean;
}

export async function killStatic(arena: Arena, { operation, failpoint }: Place): Promise<StaticOutcome> {
  const at = await arena.enter();
  await operation.prepare?.(at);
  const { signal } = await kill(at, operation, failpoint);
  const later = (operation.offsetMs ?? 0) + RECOVERY_MS * 2;
  const daemon = await at.at(later, "daemon -once -log-level=error");
  const credsWork = await credsLogIn(at);
  if (credsWork !== null)
    await at.at(later + RECOVERY_MS, `write -force database/rotate-role/${staticRole(at)}`);
  return {
    signal,
    complaints: daemon.stderr,
    credsWork,
    rotatedWork: await credsLogIn(at),
    initialWorks: await logsIn(at.server, { username: staticUser(at), password: "initial" }),
  };
}

async function credsLogIn(at: Case): Promise<boolean | null> {
  const { code, stdout } = await at.world.run(`read -field=password database/static-creds/${staticRole(at)}`);
  return code === 0 ? logsIn(at.server, { username: staticUser(at), password: stdout }) : null;
}

export function expectedStatic({ operation, commits }: Place): StaticOutcome {
  // A role whose making was killed before its first commit is none, and its user is as it was.
  const isMade = operation !== ADOPT || commits > 0;
  const works = isMade ? true : null;
  return {
    signal: "SIGKILL",
    complaints: "",
    credsWork: works,
    rotatedWork: works,
    initialWorks: !isMade,
  };
}

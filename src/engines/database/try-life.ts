import { messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { MountContext } from "../../framework/backend.ts";
import { DatabaseError, type DatabasePlugin, type NewUser } from "./plugin.ts";
import { dropProbe, forgetProbe, type ProbeUser, recordProbe } from "./probe-user.ts";
import type { Problem, Trial, TrialStep } from "./trial.ts";

/** Whose life is tried. */
interface Life {
  readonly probe: NewUser;
  /** The connection's name, by whose configuration a user that is left is dropped later. */
  readonly connection: string;
  /** Of the role that is tried. */
  readonly revocationStatements: readonly string[];
}

/**
 * Tries a user's life on a server that takes nothing back:
 *
 *     its end rehearsed ─▶ recorded, with a due time ─▶ made ─▶ worked on ─▶ dropped and seen to be gone ─▶ forgotten
 *
 * Where its end would be refused no user is made at all. When it ends anywhere else, due work drops the user.
 * @returns What the server refused. @throws DatabaseError when it could not be asked; ApiError for a role's statements that mean nothing.
 */
export async function tryLife(
  context: MountContext,
  plugin: DatabasePlugin,
  trial: Trial,
  { probe, connection, revocationStatements }: Life,
): Promise<readonly Problem[]> {
  const problems = [...(await trial.rehearse(probe))];
  if (problems.some(({ keepsUsers }) => keepsUsers === true)) return problems;
  const user: ProbeUser = { connection, username: probe.username, revocationStatements };
  await recordProbe(context, user);
  failpoint("preflight:recorded");
  const refusal = await refusalOf(() => plugin.newUser(probe));
  failpoint("preflight:made");
  if (refusal === null) problems.push(...((await trial.tryOn?.(probe)) ?? []));
  else problems.push(await problemOf(trial, "create", refusal, probe));
  const end = await endOf(plugin, user);
  failpoint("preflight:dropped");
  const ofEnd = end.failure ?? (refusal === null ? end.refusal : null);
  if (ofEnd !== null) {
    const problem = await problemOf(trial, "delete", ofEnd, probe);
    const words = `${problem.words} (that of user "${probe.username}" is tried again)`;
    problems.push(end.failure === null ? problem : { ...problem, words });
  }
  // What may still be at work on the server is dropped once more by due work, when it must have ended.
  const isSettled = end.failure === null && (refusal === null || refusal.kind === "statement");
  if (isSettled) await forgetProbe(context.storage, user);
  return problems;
}

/**
 * @returns Why the user is not gone, null when it is; and what was refused on the way.
 * @throws whatever stands in the way of all users.
 */
async function endOf(
  plugin: DatabasePlugin,
  user: ProbeUser,
): Promise<{ readonly failure: Error | null; readonly refusal: Error | null }> {
  let refusal: Error | null = null;
  const failure = await refusalOf(async () => {
    refusal = await dropProbe((users) => plugin.deleteUsers(users), user);
  });
  return { failure, refusal };
}

/**
 * @returns What the server said against the work; null: nothing.
 * @throws whatever else went wrong: the server is away, the administrator's login is refused, the statements mean nothing.
 */
async function refusalOf(work: () => Promise<void>): Promise<DatabaseError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof DatabaseError && isRefusal(error)) return error;
    throw error;
  }
}

/** Of several statements one that is refused leaves it open what the others did; without a code it was no answer of the server's. */
function isRefusal({ kind, serverCode }: DatabaseError): boolean {
  return kind === "statement" || (kind === "ambiguous" && serverCode !== undefined);
}

async function problemOf(trial: Trial, step: TrialStep, refusal: Error, probe: NewUser): Promise<Problem> {
  const isPlain = probe.creationStatements === trial.plainUser;
  const making = isPlain ? "make a user" : "run the creation statements of the role";
  // What the plugin says first is what was tried, which the sentence says already.
  const words = messageOf(refusal).replace(/^(?:creating the user failed: |statement 1 of 1 failed: )+/, "");
  const remedy = await trial.remedyFor?.(step, refusal, probe);
  return { what: step === "create" ? making : "take a user away", words, remedy };
}

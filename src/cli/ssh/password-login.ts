import { addressOf, isInPath } from "../../platform/inherited-child.ts";
import { bodyOf, dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure, remoteFailure } from "../failure.ts";
import { answer, type Result } from "../outcome.ts";
import type { SshFlags } from "./flags.ts";
import { hostKeyOptions, runSsh, type SshRun } from "./run-ssh.ts";

const NO_SSHPASS =
  'There is no program "sshpass" here, so the one-time password is shown below. Type it where ssh asks for a password.';

/** Has a one-time password issued, and logs in with it; its lease ends with the session. @returns ssh's exit code. */
export async function logInWithPassword(
  context: CommandContext,
  flags: SshFlags,
  mount: string,
  run: SshRun,
): Promise<Result> {
  const { username, host } = run.target;
  const ip = await addressOf(host);
  const role = flags.role || (await onlyRole(context, mount, ip));
  const response = await context.send(
    { method: "PUT", path: `${mount}creds/${role}`, body: { ip, username } },
    { prefix: "failed to generate credential" },
  );
  const body = bodyOf(response) ?? {};
  if (flags["no-exec"]) return answer({ show: "secret", body });
  const password = String(dataOf(response).key);
  try {
    return { outcomes: [], exitCode: await runWithPassword(context, flags, run, password) };
  } finally {
    const path = `sys/leases/revoke/${String(body.lease_id)}`;
    await context.send({ method: "PUT", path }, { prefix: "failed to revoke the one-time password" });
  }
}

async function runWithPassword(
  context: CommandContext,
  flags: SshFlags,
  run: SshRun,
  password: string,
): Promise<number> {
  const options = hostKeyOptions(flags);
  if (isInPath("sshpass", context.world.env.PATH ?? "")) {
    return runSsh(context, flags, run, options, ["sshpass", "-e"], { SSHPASS: password });
  }
  await context.note(NO_SSHPASS);
  await context.progress(`OTP for the session is: ${password}`);
  return runSsh(context, flags, run, options);
}

/** The role of a host for which there is one. @throws CommandFailure for none, and for several. */
async function onlyRole(context: CommandContext, mount: string, ip: string): Promise<string> {
  const response = await context.send(
    { method: "PUT", path: `${mount}lookup`, body: { ip } },
    { prefix: `error finding roles for IP ${ip}`, beforehand: true },
  );
  const { roles } = dataOf(response);
  const names = Array.isArray(roles) ? roles.map(String) : [];
  const [first] = names;
  if (first === undefined) throw remoteFailure(`no matching roles found for IP ${ip}`);
  if (names.length > 1) {
    throw localFailure(`multiple roles found for IP ${ip} (${names.join(", ")}): choose one with -role`);
  }
  return first;
}

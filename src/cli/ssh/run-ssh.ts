import { messageOf } from "../../base/errors.ts";
import { runInherited } from "../../platform/inherited-child.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import type { SshFlags } from "./flags.ts";
import type { SshTarget } from "./target.ts";

/** What ssh gets besides its options. */
export interface SshRun {
  readonly target: SshTarget;
  /** What the caller wants ssh to be given after the host. */
  readonly rest: readonly string[];
}

/** Variables that give rights to the store, which no other program has any business with. */
const KEPT_BACK: ReadonlySet<string> = new Set(["VSEC_TOKEN", "VAULT_TOKEN"]);

/**
 * Runs ssh, or a program that runs it.
 * @param prefix - Program and arguments that run ssh; empty: ssh is run itself.
 * @param more - Variables besides this process's own.
 * @returns Its exit code. @throws CommandFailure (exit 1) when it cannot be started.
 */
export function runSsh(
  { world }: CommandContext,
  flags: SshFlags,
  { target, rest }: SshRun,
  options: readonly string[],
  prefix: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  const ssh = flags["ssh-executable"] ?? "ssh";
  const [file = ssh, ...args] = [...prefix, ssh, ...options, `${target.username}@${target.host}`, ...rest];
  const env = Object.entries(world.env).filter(([name]) => !KEPT_BACK.has(name));
  return runInherited(file, args, { ...Object.fromEntries(env), ...more }).catch((error: unknown) => {
    throw localFailure(messageOf(error), error);
  });
}

/** How ssh is to check the host's key. */
export function hostKeyOptions(flags: SshFlags): readonly string[] {
  const checking = flags["strict-host-key-checking"] ?? "ask";
  const file = flags["user-known-hosts-file"] ?? "";
  return [
    ...(file === "" ? [] : ["-o", `UserKnownHostsFile=${file}`]),
    ...(checking === "" ? [] : ["-o", `StrictHostKeyChecking=${checking}`]),
  ];
}

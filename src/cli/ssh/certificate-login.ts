import { join } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { passingDirectory } from "../../platform/inherited-child.ts";
import { bodyOf, dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import { answer, type Result } from "../outcome.ts";
import type { SshFlags } from "./flags.ts";
import { hostKeyOptions, runSsh, type SshRun } from "./run-ssh.ts";

/** What a session at a terminal needs. */
const EXTENSIONS = {
  "permit-X11-forwarding": "",
  "permit-agent-forwarding": "",
  "permit-port-forwarding": "",
  "permit-pty": "",
  "permit-user-rc": "",
};

/** Has the user's key signed, and logs in with the certificate. @returns ssh's exit code. */
export async function logInWithCertificate(
  context: CommandContext,
  flags: SshFlags,
  mount: string,
  run: SshRun,
): Promise<Result> {
  const { role } = flags;
  if (role === undefined || role === "") throw localFailure("Missing -role");
  const publicKey = await readKey(context, flags["public-key-path"] ?? homeFile(context, ".ssh/id_rsa.pub"));
  const response = await context.send(
    {
      method: "PUT",
      path: `${mount}sign/${role}`,
      body: {
        public_key: publicKey,
        valid_principals: flags["valid-principals"] ?? run.target.username,
        cert_type: "user",
        extensions: EXTENSIONS,
      },
    },
    { prefix: `failed to sign public key ${flags["public-key-path"] ?? ""}`.trim() },
  );
  if (flags["no-exec"]) return answer({ show: "secret", body: bodyOf(response) ?? {} });
  const directory = passingDirectory();
  try {
    const certificate = directory.write("certificate.pub", String(dataOf(response).signed_key));
    const hosts = await knownHosts(context, flags);
    const options = [
      "-i",
      flags["private-key-path"] ?? homeFile(context, ".ssh/id_rsa"),
      ...["-o", `CertificateFile=${certificate}`],
      // ssh takes the first value of an option that it is given.
      ...(hosts === null ? [] : ["-o", `UserKnownHostsFile=${directory.write("known_hosts", hosts)}`]),
      ...hostKeyOptions(flags),
    ];
    return { outcomes: [], exitCode: await runSsh(context, flags, run, options) };
  } finally {
    directory.remove();
  }
}

function homeFile({ world }: CommandContext, name: string): string {
  const home = world.env.HOME ?? "";
  if (home === "")
    throw localFailure("HOME is not set: name the keys with -public-key-path and -private-key-path");
  return join(home, name);
}

async function readKey({ world }: CommandContext, path: string): Promise<string> {
  try {
    return await world.readFile(path);
  } catch (error) {
    throw localFailure(`failed to read public key: ${messageOf(error)}`, error);
  }
}

/** A known_hosts file that trusts the authority for hosts. Null: none was named. */
async function knownHosts(context: CommandContext, flags: SshFlags): Promise<string | null> {
  const mount = flags["host-key-mount-point"];
  if (mount === undefined || mount === "") return null;
  const path = `${mount.replace(/^\/+|\/+$/g, "")}/config/ca`;
  const response = await context.send({ method: "GET", path }, { prefix: "failed to get host signing key" });
  const names = flags["host-key-hostnames"] ?? "*";
  return `@cert-authority ${names} ${String(dataOf(response).public_key)}\n`;
}

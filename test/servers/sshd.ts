/** An OpenSSH server that trusts an authority's certificates, or one-time passwords; Debian's openssh-server. */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startProcess, temporaryDirectory, until } from "./process.ts";

const SSHD = "/usr/sbin/sshd";
/** Where the server of Debian locks itself up before it knows who logs in. */
const PRIVILEGE_SEPARATION = "/run/sshd";

/** Why no server can be started here; undefined: one can. */
export function sshdMissing(): string | undefined {
  if (!existsSync(SSHD)) return "needs Debian's openssh-server";
  if (process.getuid?.() === 0) return undefined;
  return existsSync(PRIVILEGE_SEPARATION) ? undefined : `needs ${PRIVILEGE_SEPARATION}, which root makes`;
}

/** Why no server can be started here that has a PAM configuration of its own; undefined: one can. */
export function pamSshdMissing(): string | undefined {
  const missing = sshdMissing();
  if (missing !== undefined) return missing;
  if (process.getuid?.() !== 0) return "needs root, whose servers alone ask PAM";
  const { status } = spawnSync("unshare", ["--mount", "mount", "--bind", tmpdir(), "/etc/pam.d"]);
  return status === 0 ? undefined : "needs to hide /etc/pam.d behind a folder of its own";
}

export interface Sshd {
  readonly port: number;
  /** Whom one can log in as: whoever runs the tests. */
  readonly user: string;
  /** A line of a known_hosts file that trusts the authority for hosts. */
  readonly knownHosts: string;
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts a server.
 * @param authorityLine - The public key of the authority for users.
 * @param hostCertificate - Signs the host's key, given as a line.
 */
export async function startSshd(
  authorityLine: string,
  hostCertificate: (publicKeyLine: string) => Promise<string>,
): Promise<Sshd> {
  const directory = temporaryDirectory("vsec-sshd-");
  const file = (name: string): string => join(directory.path, name);
  if (process.getuid?.() === 0) mkdirSync(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file("host")]);
  writeFileSync(file("host-cert.pub"), await hostCertificate(readFileSync(file("host.pub"), "utf8")));
  writeFileSync(file("authority.pub"), authorityLine);
  return start(
    directory,
    authorityLine,
    [SSHD],
    [
      `HostCertificate ${file("host-cert.pub")}`,
      `TrustedUserCAKeys ${file("authority.pub")}`,
      "AuthorizedKeysFile none",
      "PasswordAuthentication no",
      "PermitRootLogin prohibit-password",
      "UsePAM no",
    ],
  );
}

/**
 * Starts a server that has a program look at passwords, by pam_exec: standard input has the password, PAM_USER whom it is for.
 * @param program - The path of the program; its exit code is the verdict.
 */
export async function startPamSshd(program: string): Promise<Sshd> {
  const directory = temporaryDirectory("vsec-sshd-");
  const file = (name: string): string => join(directory.path, name);
  mkdirSync(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 });
  mkdirSync(file("pam.d"));
  const stack = [
    `auth required pam_exec.so quiet expose_authtok ${program}`,
    "account required pam_permit.so",
    "session required pam_permit.so",
  ];
  writeFileSync(file("pam.d/sshd"), `${stack.join("\n")}\n`);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file("host")]);
  // Nobody but the server, and what it starts, sees the folder there.
  const hide = 'mount --bind "$0" /etc/pam.d && exec "$@"';
  const command = ["unshare", "--mount", "sh", "-c", hide, file("pam.d"), SSHD];
  return start(directory, readFileSync(file("host.pub"), "utf8"), command, [
    "PasswordAuthentication yes",
    "PubkeyAuthentication no",
    "PermitRootLogin yes",
    "UsePAM yes",
  ]);
}

async function start(
  directory: ReturnType<typeof temporaryDirectory>,
  authorityLine: string,
  command: readonly string[],
  settings: readonly string[],
): Promise<Sshd> {
  const file = (name: string): string => join(directory.path, name);
  const port = await freePort();
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${file("host")}`,
    "KbdInteractiveAuthentication no",
    "StrictModes no",
    `PidFile ${file("pid")}`,
    "LogLevel VERBOSE",
    ...settings,
    "",
  ];
  writeFileSync(file("config"), lines.join("\n"));
  const running = startProcess(undefined, [...command, "-D", "-e", "-f", file("config")], file("log"));
  const log = (): string => readFileSync(file("log"), "utf8");
  await until("sshd to listen", () => running.hasEnded() || log().includes("Server listening"));
  if (running.hasEnded()) throw new Error(`sshd did not start:\n${log()}`);
  return {
    port,
    user: execFileSync("id", ["-un"]).toString().trim(),
    knownHosts: `@cert-authority [127.0.0.1]:${port} ${authorityLine}`,
    log,
    stop: async () => {
      await running.stop("SIGTERM");
      directory.remove();
    },
  };
}

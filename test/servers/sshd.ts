/** An OpenSSH server that trusts an authority's certificates; Debian's openssh-server. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
  const port = await freePort();
  writeFileSync(
    file("config"),
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${file("host")}`,
      `HostCertificate ${file("host-cert.pub")}`,
      `TrustedUserCAKeys ${file("authority.pub")}`,
      "AuthorizedKeysFile none",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin prohibit-password",
      "UsePAM no",
      "StrictModes no",
      `PidFile ${file("pid")}`,
      "LogLevel VERBOSE",
      "",
    ].join("\n"),
  );
  const running = startProcess(undefined, [SSHD, "-D", "-e", "-f", file("config")], file("log"));
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

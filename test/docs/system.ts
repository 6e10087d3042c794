/** A system of a page's own: what root does there is done to copies, in namespaces that end with the page. */

import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import type { Place } from "./place.ts";

/** Why none can be had on this machine; undefined: one can. */
export function ownSystemMissing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  try {
    execFileSync("unshare", ["--mount", "--net", "ip", "link", "set", "lo", "up"], { stdio: "pipe" });
    return undefined;
  } catch {
    return "needs namespaces of its own, and ip (package iproute2)";
  }
}

export interface OwnSystem {
  /** Names that are this machine's. */
  readonly hosts?: readonly string[];
  /** Folders that are empty and the page's alone. */
  readonly empty?: readonly string[];
  /** Files by their places there, each with its place here. */
  readonly files?: Readonly<Record<string, string>>;
  readonly users?: readonly string[];
}

/** Has the page's shell see such a system. Its /etc is a copy, all ports are free in it, and no other machine is there. */
export function inOwnSystem(at: Place, { hosts = [], empty = [], files = {}, users = [] }: OwnSystem): void {
  const inRoot = (folder: string): string => {
    mkdirSync(at.at(folder), { recursive: true });
    return at.at(folder);
  };
  execFileSync("cp", ["-a", "/etc/.", inRoot("/etc")]);
  appendFileSync(at.at("/etc/hosts"), hosts.map((name) => `127.0.0.1 ${name}\n`).join(""));
  const steps = [
    "ip link set lo up",
    `mount --bind ${inRoot("/etc")} /etc`,
    ...empty.flatMap((folder) => [`mkdir -p ${folder}`, `mount --bind ${inRoot(folder)} ${folder}`]),
    ...Object.entries(files).flatMap(([there, here]) => [`touch ${there}`, `mount --bind ${here} ${there}`]),
    ...users.map((name) => `useradd --create-home ${name}`),
  ];
  const script = at.at("/enter.sh");
  writeFileSync(script, `set -e\n${steps.join("\n")}\nexec "$@"\n`);
  at.shellStartedBy(["unshare", "--mount", "--net", "sh", script]);
}

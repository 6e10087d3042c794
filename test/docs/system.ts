/** A system of a page's own: what root does there is done to copies, in namespaces that end with the page. */

import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import type { Place } from "./place.ts";

const OWN_ADDRESSES = "ip link set lo up";
const ROOM = "mount -t tmpfs tmpfs /mnt";

/** Puts a layer over a folder, which takes what is written there. */
function overlay(folder: string): readonly string[] {
  const layer = `/mnt${folder}`;
  const options = `lowerdir=${folder},upperdir=${layer}/upper,workdir=${layer}/work`;
  return [`mkdir -p ${layer}/upper ${layer}/work`, `mount -t overlay overlay -o ${options} ${folder}`];
}

/** Why none can be had on this machine; undefined: one can. */
export function ownSystemMissing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  try {
    const steps = [OWN_ADDRESSES, ROOM, ...overlay("/usr/bin")];
    execFileSync("unshare", ["--mount", "--net", "sh", "-ec", steps.join("\n")], { stdio: "pipe" });
    return undefined;
  } catch {
    return "needs namespaces, layered folders in them, and ip (package iproute2)";
  }
}

export interface OwnSystem {
  /** Without other machines, and with all ports free. Default: this machine's network. */
  readonly ownNetwork?: boolean;
  /** Names that are this machine's. */
  readonly hosts?: readonly string[];
  /** Folders that are empty and the page's alone. */
  readonly empty?: readonly string[];
  /** Folders that are as they are here, and to which may be written. */
  readonly layered?: readonly string[];
  /** Files by their places there, each with its place here. */
  readonly files?: Readonly<Record<string, string>>;
  readonly users?: readonly string[];
}

/** Has the page's shell see such a system, whose /etc is a copy. */
export function inOwnSystem(at: Place, own: OwnSystem): void {
  const { ownNetwork = false, hosts = [], empty = [], layered = [], files = {}, users = [] } = own;
  const inRoot = (folder: string): string => {
    mkdirSync(at.at(folder), { recursive: true });
    return at.at(folder);
  };
  execFileSync("cp", ["-a", "/etc/.", inRoot("/etc")]);
  appendFileSync(at.at("/etc/hosts"), hosts.map((name) => `127.0.0.1 ${name}\n`).join(""));
  const steps = [
    ...(ownNetwork ? [OWN_ADDRESSES] : []),
    ROOM,
    `mount --bind ${inRoot("/etc")} /etc`,
    ...empty.map((folder) => `mount --bind ${inRoot(folder)} ${folder}`),
    ...layered.flatMap(overlay),
    ...Object.entries(files).flatMap(([there, here]) => [`touch ${there}`, `mount --bind ${here} ${there}`]),
    ...users.map((name) => `useradd --create-home ${name}`),
  ];
  const script = at.at("/enter.sh");
  writeFileSync(script, `set -e\n${steps.join("\n")}\nexec "$@"\n`);
  at.shellStartedBy(["unshare", "--mount", ...(ownNetwork ? ["--net"] : []), "sh", script]);
}

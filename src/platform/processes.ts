import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { type HostIdentity, isSameHost, type Liveness, type Processes } from "../base/processes.ts";

/** The processes of this machine: Linux by /proc, macOS by ps(1) and sysctl(8). Elsewhere nothing is known. */
export function systemProcesses(platform: NodeJS.Platform = process.platform): Processes {
  const system = platform === "linux" ? linux : platform === "darwin" ? darwin : null;
  let known: HostIdentity | null | undefined;
  const host = (): HostIdentity | null => {
    known ??= system === null ? null : (attempt(system.host) ?? null);
    return known;
  };
  return {
    host,
    self() {
      const here = host();
      const startedAt = system?.startOf(process.pid);
      if (here === null || startedAt === undefined || startedAt === null) return null;
      return { pid: process.pid, startedAt, host: here };
    },
    liveness(other) {
      const here = host();
      if (here === null || system === null) return "unknown";
      if (!isSameHost(other.host, here)) return wasBeforeRestart(other.host, here) ? "dead" : "unknown";
      const startedAt = system.startOf(other.pid);
      if (startedAt !== null) return startedAt === other.startedAt ? "alive" : "dead";
      return whereNothingIsShown(other.pid);
    },
  };
}

/** Images and copies of a machine may share its name for itself, so its host name has to be the same as well. */
function wasBeforeRestart(then: HostIdentity, now: HostIdentity): boolean {
  return (
    then.machine !== "" &&
    then.machine === now.machine &&
    then.hostname === now.hostname &&
    then.boot !== now.boot
  );
}

/** Where /proc hides the processes of others (hidepid), only a signal that is never sent tells that there is one. */
function whereNothingIsShown(pid: number): Liveness {
  try {
    process.kill(pid, 0);
    return "unknown";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "dead" : "unknown";
  }
}

interface System {
  /** @throws when it cannot be told. */
  host(): HostIdentity;
  /** Null: no process of this id is shown, or only what is left of one that has ended. */
  startOf(pid: number): string | null;
}

const linux: System = {
  host: () => ({
    hostname: hostname(),
    machine: attempt(() => readFileSync("/etc/machine-id", "utf8").trim()) ?? "",
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    namespace: [
      readlinkSync("/proc/self/ns/pid"),
      attempt(() => readlinkSync("/proc/self/ns/time")) ?? "",
    ].join(),
  }),
  startOf(pid) {
    const text = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
    if (text === undefined) return null;
    // proc_pid_stat(5): the name, field 2, is in parentheses and may hold any character; field 3 is the state, 22 the start.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    return state === "Z" || state === "X" ? GONE : (fields[19] ?? null);
  },
};

/** Stands for the start of a process that has ended and was not waited for yet: no other one's. */
const GONE = "ended";

const darwin: System = {
  host: () => ({
    hostname: hostname(),
    machine: ask("/usr/sbin/sysctl", ["-n", "kern.uuid"]),
    boot: ask("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"]),
    namespace: "",
  }),
  startOf(pid) {
    const started = attempt(() => ask("/bin/ps", ["-o", "lstart=", "-p", String(pid)]));
    return started === undefined || started === "" ? null : started;
  },
};

function ask(program: string, args: readonly string[]): string {
  // Loaded only where it is asked: every command looks for processes that are gone, and on Linux none is started for it.
  const { execFileSync } = process.getBuiltinModule("node:child_process");
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C", TZ: "UTC" };
  return execFileSync(program, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] }).trim();
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // What the system does not show is not known, which every caller has an answer for.
    return undefined;
  }
}

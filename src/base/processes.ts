/**
 * A process as others can recognise it later. A process id alone is used again; together with the moment at which the process
 * began, and with the system that counted both, it is not.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own count (Linux: clock ticks since boot). Compared, never calculated with. */
  readonly startedAt: string;
  readonly host: HostIdentity;
}

/** What numbers processes: two identities can be compared only where all of it is the same. */
export interface HostIdentity {
  /** For people. */
  readonly hostname: string;
  /** The installed system, across its restarts; empty where it has no such name. */
  readonly machine: string;
  /** This run of the system. */
  readonly boot: string;
  /** The process and time namespaces (containers have their own); empty where there are none. */
  readonly namespace: string;
}

/** Whether a process is still there; `unknown`: it cannot be seen from here. */
export type Liveness = "alive" | "dead" | "unknown";

/** The processes of this machine, as a port. */
export interface Processes {
  /** This process. Null: the system has no way to tell one process from a later one. */
  self(): ProcessIdentity | null;
  /** The system that this process runs on; null as for {@link Processes.self}. */
  host(): HostIdentity | null;
  /**
   * Never `dead` on a guess: a process on another machine, in another container, or hidden from this user is `unknown`.
   * One of this machine's that began before its last restart is dead.
   */
  liveness(process: ProcessIdentity): Liveness;
}

/** For a core that sees no processes. */
export const noProcesses: Processes = { self: () => null, host: () => null, liveness: () => "unknown" };

const TEXT_CHARS_MAX = 256;

/** Reads an identity from somebody else's JSON. Null: it is none. */
export function processIdentityOf(value: unknown): ProcessIdentity | null {
  if (typeof value !== "object" || value === null) return null;
  const { pid, startedAt, host } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(pid) || Number(pid) < 1 || !isText(startedAt)) return null;
  if (typeof host !== "object" || host === null) return null;
  const { hostname, machine, boot, namespace } = host as Record<string, unknown>;
  if (!isText(hostname) || !isText(machine) || !isText(boot) || !isText(namespace)) return null;
  return { pid: Number(pid), startedAt, host: { hostname, machine, boot, namespace } };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= TEXT_CHARS_MAX && /^[\x20-\x7e]*$/.test(value);
}

/** True when both number their processes alike. */
export function isSameHost(a: HostIdentity, b: HostIdentity): boolean {
  return a.machine === b.machine && a.boot === b.boot && a.namespace === b.namespace;
}

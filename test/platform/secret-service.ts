/** A real Secret Service in a D-Bus session of its own: gnome-keyring, unlocked, with a home that goes with it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NEEDED = ["dbus-run-session", "gnome-keyring-daemon"];
const PATHS = ["/usr/bin", "/usr/local/bin", "/bin"];

/** Why there cannot be one here; undefined when there can. */
export function missingForSecretService(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  const missing = NEEDED.filter((program) => !PATHS.some((path) => existsSync(join(path, program))));
  return missing.length === 0 ? undefined : `needs ${missing.join(" and ")}`;
}

export interface SessionOptions {
  /** Holds the keyrings; one directory can serve several sessions, one after the other. */
  readonly home: string;
  /** Starts the keyring without its password, so that it stays locked. */
  readonly locked?: boolean;
  readonly program: string;
}

/** Runs a TypeScript program in a session. @returns What it printed, as JSON. */
export function inSession({ home, locked = false, program }: SessionOptions): unknown {
  const runtime = join(home, "run");
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const file = join(home, "program.ts");
  writeFileSync(file, program);
  const unlock = locked ? "--start" : "--unlock";
  const script = `printf %s "$KEYRING_PASSWORD" | gnome-keyring-daemon ${unlock} --components=secrets >/dev/null 2>&1
    exec "$BUN" "$PROGRAM"`;
  const env = {
    PATH: PATHS.join(":"),
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    BUN: process.execPath,
    PROGRAM: file,
    KEYRING_PASSWORD: "of the test",
  };
  const ran = spawnSync("dbus-run-session", ["--", "sh", "-c", script], { env, timeout: 60_000 });
  const output = ran.stdout.toString();
  if (ran.status !== 0) throw new RangeError(`the session failed: ${output}${ran.stderr.toString()}`);
  return JSON.parse(output);
}

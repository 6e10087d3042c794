import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { atExit } from "../servers/process.ts";
import type { World } from "./world.ts";

const SCRIPT = "/usr/bin/script";

/** Why there is no terminal for tests here, for `describe.skipIf`; undefined where there is. */
export const terminalMissing: string | undefined =
  process.platform === "linux" && existsSync(SCRIPT) ? undefined : "needs script(1) of util-linux";

/** A command of a world, at a terminal of its own. */
export interface AtTerminal {
  /** What the terminal has shown up to now. */
  shown(): string;
  kill(): void;
  /** Its exit code; null when it was killed. */
  readonly ended: Promise<number | null>;
}

/** @param line - Words without anything that a shell reads. */
export function atTerminal(world: World, line: string): AtTerminal {
  const child: ChildProcess = spawn(SCRIPT, ["-qefc", `${world.binary} ${line}`, "/dev/null"], {
    cwd: world.home,
    env: { PATH: process.env.PATH ?? "", HOME: world.home, VSEC_STORE: world.store, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const forget = atExit(() => child.kill("SIGKILL"));
  let shown = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk.replaceAll("\r\n", "\n");
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      forget();
      resolve(code);
    });
  });
  return { shown: () => shown, kill: () => void child.kill("SIGTERM"), ended };
}

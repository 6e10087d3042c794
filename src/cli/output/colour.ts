import { type Env, readVariable } from "../../contract/environment.ts";
import type { Format } from "../global-options.ts";

/** True when the environment asks for plain text everywhere. */
export function isPlainTerminal(env: Env): boolean {
  return readVariable(env, "NO_COLOR") !== undefined || readVariable(env, "TERM") === "dumb";
}

/** True when errors and warnings may be coloured: a person looks at a terminal, in the format for people. */
export function mayColour(env: Env, isTTY: boolean, format: Format): boolean {
  return (
    isTTY &&
    format === "table" &&
    !isPlainTerminal(env) &&
    readVariable(env, "VSEC_CLI_NO_COLOR") === undefined
  );
}

/** Colours a text: errors bright red, warnings bright yellow. */
export async function coloured(kind: "error" | "warning", text: string): Promise<string> {
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level: 1 });
  return kind === "error" ? chalk.redBright(text) : chalk.yellowBright(text);
}

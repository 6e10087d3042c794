/**
 * hvac, Vault's client for Python, in a Python environment below `.cache`, which is made on first use. {@link hvacMissing}
 * says why it cannot run here, for `describe.skipIf`.
 */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { PythonEnvironment } from "../servers/python.ts";
import { HVAC } from "./calls.ts";

/** With what it needs itself, all of one version, so that every machine runs the same. */
const ENVIRONMENT = new PythonEnvironment("hvac", HVAC.version, [
  `hvac==${HVAC.version}`,
  ...["requests==2.34.2", "urllib3==2.8.0", "charset-normalizer==3.5.2", "idna==3.20", "certifi==2026.10.18"],
]);
const SESSION = join(import.meta.dir, "hvac_session.py");

/** What the session is told. */
export interface SessionInput {
  readonly url: string;
  readonly audit_file: string;
  readonly database: Readonly<Record<"url" | "username" | "password", string>>;
  readonly jwt: Readonly<Record<"public_key" | "token", string>>;
}

/** What the session found. Calls are named as one writes them in Python, from the client on. */
export interface SessionReport {
  readonly passed: readonly string[];
  readonly failures: readonly {
    readonly step: string;
    readonly call: string | null;
    readonly error: string;
  }[];
  /** Every call that the tried parts of the client have. */
  readonly methods: readonly string[];
}

/** A Python that has hvac. */
export const hvacPython = (): string => ENVIRONMENT.python;

/** Why hvac cannot run on this machine; undefined: it can. Installs it when that was not done before. */
export function hvacMissing(): string | undefined {
  return ENVIRONMENT.missing();
}

/** Runs the whole session. @throws with what Python wrote when it did not come to an end. */
export async function runSession(input: SessionInput): Promise<SessionReport> {
  const env = { PATH: process.env.PATH ?? "", NO_PROXY: "127.0.0.1", PYTHONDONTWRITEBYTECODE: "1" };
  const python = spawn(ENVIRONMENT.python, [SESSION], { env, stdio: "pipe" });
  let [out, err] = ["", ""];
  python.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  python.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => python.once("close", resolve));
  python.stdin.end(JSON.stringify(input));
  const code = await ended;
  if (code !== 0) throw new Error(`the session ended with ${code}:\n${err.slice(-4000)}`);
  return JSON.parse(out) as SessionReport;
}

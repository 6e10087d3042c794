/**
 * AWS for tests: moto, an emulator of AWS's API that others wrote, in a Python environment below `.cache`, which is made on
 * first use. It checks signatures and policies. {@link motoMissing} says why it cannot run here, for `describe.skipIf`.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, startProcess, temporaryDirectory, until } from "./process.ts";
import { PythonEnvironment } from "./python.ts";

const VERSION = "5.2.5";
const ENVIRONMENT = new PythonEnvironment("moto", VERSION, [
  `moto[iam,sts]==${VERSION}`,
  "flask==3.1.3",
  "flask-cors==6.0.5",
]);

/** Why moto cannot run on this machine; undefined: it can. Installs it when that was not done before. */
export function motoMissing(): string | undefined {
  return ENVIRONMENT.missing();
}

/** A Python that has AWS's own SDK for it, botocore, which the emulator is built with. */
export function botocorePython(): string {
  return ENVIRONMENT.python;
}

/** A running emulator. */
export interface MotoServer {
  readonly port: number;
  readonly url: string;
  /** From now on every request needs a signature by keys that exist, and the rights for what it asks. */
  requireKeys(): Promise<void>;
  /** Everybody may do everything again. */
  requireNothing(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export interface MotoOptions {
  /** With the policies that are AWS's own, such as ReadOnlyAccess; loading them takes the emulator a while. Default false. */
  readonly awsPolicies?: boolean;
}

/** Starts an emulator with nothing in it. @throws with its log when it does not start. */
export async function startMoto({ awsPolicies = false }: MotoOptions = {}): Promise<MotoServer> {
  const directory = temporaryDirectory("vsec-moto-");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(directory.path, "moto.log");
  const command = [ENVIRONMENT.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)];
  const running = startProcess(undefined, command, logFile, {
    MOTO_IAM_LOAD_MANAGED_POLICIES: String(awsPolicies),
  });
  const log = (): string => readFileSync(logFile, "utf8");
  const isUp = async (): Promise<boolean> => {
    if (running.hasEnded()) return true;
    const answer = await fetch(`${url}/moto-api/data.json`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.ok === true;
  };
  const checkAfter = async (requests: string): Promise<void> => {
    await (await fetch(`${url}/moto-api/reset-auth`, { method: "POST", body: requests })).arrayBuffer();
  };
  await until("moto to answer", isUp, 60_000);
  if (running.hasEnded()) throw new Error(`moto did not start:\n${log().slice(-4000)}`);
  return {
    port,
    url,
    log,
    requireKeys: () => checkAfter("0"),
    requireNothing: () => checkAfter("inf"),
    stop: async () => {
      await running.stop("SIGKILL");
      directory.remove();
    },
  };
}

// Runs vsec. Secrets go in by standard input and the environment, never as arguments.
import { spawn } from "node:child_process";
import process from "node:process";

/**
 * Runs one command to its end.
 * @returns Its standard output. @throws Error with what it said on standard error.
 */
export function vsec(program, args, { token, stdin = "", settings = {} }) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...settings, ...(token === undefined ? {} : { VSEC_TOKEN: token }) };
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      stderr += chunk;
    });
    // One that has ended early reads nothing any more.
    child.stdin.on("error", () => undefined).end(stdin);
    child.on("error", (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${program} ${args.join(" ")}: exit code ${code}\n${stderr.trim()}`));
    });
  });
}

/** Settings of the daemon to use, as variables of vsec. */
export function connection(address, caCert) {
  return {
    ...(address === "" ? {} : { VSEC_ADDR: address }),
    ...(caCert === "" ? {} : { VSEC_CACERT: caCert }),
  };
}

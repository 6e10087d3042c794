/**
 * Named places where a test can kill the process. The test build sets `VSEC_FAILPOINTS` to true at compile time; in the
 * release it is false and the calls vanish from the binary.
 */
declare const VSEC_FAILPOINTS: boolean;

const enabled = typeof VSEC_FAILPOINTS !== "undefined" && VSEC_FAILPOINTS;

let left: number | undefined;

/**
 * Dies by SIGKILL here when `VSEC_FAILPOINT` names this place: `lease:pending`, or `lease:pending:3` for the third time
 * it is passed. With `VSEC_FAILPOINT_LOG` set to a file, the names that are passed are appended to it instead.
 */
export function failpoint(name: string): void {
  if (!enabled) return;
  const logFile = process.env.VSEC_FAILPOINT_LOG;
  if (logFile !== undefined)
    (require("node:fs") as typeof import("node:fs")).appendFileSync(logFile, `${name}\n`);
  const wanted = /^(.*?)(?::(\d+))?$/.exec(process.env.VSEC_FAILPOINT ?? "");
  if (wanted?.[1] !== name) return;
  left = (left ?? Number(wanted[2] ?? 1)) - 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
}

import { versionLine } from "./contract/version.ts";

// The version is answered here, before anything else is loaded: scripts ask for it often, and it must cost nothing.

const VERSION_FLAGS = ["-v", "-version", "--version"];
const HELP_FLAGS = ["-h", "-help", "--help"];

function asksForVersion(args: readonly string[]): boolean {
  const [first, second] = args;
  if (first === "version") return !HELP_FLAGS.some((flag) => args.includes(flag));
  return first !== undefined && second === undefined && VERSION_FLAGS.includes(first);
}

const args = process.argv.slice(2);
if (asksForVersion(args)) {
  process.stdout.write(`${versionLine()}\n`);
} else {
  void import("./cli/process.ts")
    .then(({ runProcess }) => runProcess(args))
    .then((exitCode) => {
      process.exitCode = exitCode;
    });
}

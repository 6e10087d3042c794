import { writeSync } from "node:fs";
import { versionLine } from "./contract/version.ts";

// The version is answered here, before anything else is loaded: scripts ask for it often, and it must cost nothing.

const VERSION_FLAGS = ["-v", "-version", "--version"];
const HELP_FLAGS = ["-h", "-help", "--help"];

function asksForVersion(args: readonly string[]): boolean {
  const [first, second] = args;
  if (first === "version") return !HELP_FLAGS.some((flag) => args.includes(flag));
  return first !== undefined && second === undefined && VERSION_FLAGS.includes(first);
}

/** Writes to the descriptor itself: making the stream of standard output takes longer than all the rest of this. */
function printed(text: string): boolean {
  try {
    return writeSync(1, text) === text.length;
  } catch {
    // The command of that name says what is wrong, or that nothing is.
    return false;
  }
}

const given = process.argv.slice(2);
const isVersion = asksForVersion(given);
if (!isVersion || !printed(`${versionLine()}\n`)) {
  void import("./cli/process.ts")
    .then(({ runProcess }) => runProcess(isVersion ? ["version"] : given))
    .then((exitCode) => {
      process.exitCode = exitCode;
    });
}

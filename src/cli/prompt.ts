import { localFailure } from "./failure.ts";
import type { Sink } from "./streams.ts";

const TYPED_CHARS_MAX = 65_536;

/**
 * Asks on the terminal without echo. The label goes to standard error, so that standard output stays data.
 * Ctrl-C ends the process as the signal would, after the terminal is back in its usual mode.
 */
export async function promptHidden(
  stdin: NodeJS.ReadStream,
  stderr: Sink,
  label: string,
): Promise<string | null> {
  if (stdin.isTTY !== true) return null;
  await stderr.write(label);
  stdin.setRawMode(true);
  try {
    return await typedLine(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    await stderr.write("\n");
  }
}

/** What a typed character does to the line. */
type Step = "more" | "done" | "interrupted";

function typedLine(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const line = new HiddenLine();
    const onData = (chunk: Buffer): void => {
      const step = line.type(chunk.toString("utf8"));
      if (step === "more" && !line.isTooLong) return;
      stdin.off("data", onData);
      if (step === "done") resolve(line.text);
      else if (step === "more") reject(localFailure("what was typed is too long"));
      else interrupt(stdin);
    };
    stdin.on("data", onData);
    stdin.resume();
  });
}

function interrupt(stdin: NodeJS.ReadStream): void {
  stdin.setRawMode(false);
  process.kill(process.pid, "SIGINT");
}

/** A line that is being typed in raw mode, where the keys that edit it arrive as characters. */
export class HiddenLine {
  #chars: string[] = [];

  get text(): string {
    return this.#chars.join("");
  }

  get isTooLong(): boolean {
    return this.#chars.length > TYPED_CHARS_MAX;
  }

  /** Takes characters up to the one that ends the line: Return, Ctrl-D, or Ctrl-C. */
  type(text: string): Step {
    for (const char of text) {
      if (char === "\r" || char === "\n" || char === "\u0004") return "done";
      if (char === "\u0003") return "interrupted";
      if (char === "\u007f" || char === "\b") this.#chars.pop();
      else this.#chars.push(char);
    }
    return "more";
  }
}

import { describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { VsecError } from "../../../src/base/errors.ts";
import { FileDevice } from "../../../src/core/audit/devices/file.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { temporaryDirectories } from "../../platform/temp.ts";
import { temporaryDirectory, until } from "../../servers/process.ts";

const tempDir = temporaryDirectories();

function newFile(mode = 0o600): { readonly file: string; readonly device: FileDevice } {
  const file = join(tempDir(), "audit.log");
  return { file, device: new FileDevice({ path: file, mode }, systemClock) };
}

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);
const textOf = (file: string): string => readFileSync(file, "utf8");

/** The code with which a promise fails; "none" when it does not. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (error instanceof VsecError) return error.code;
    throw error;
  }
}

describe("an audit file", () => {
  test("is made with its folders, for its owner alone", async () => {
    const file = join(tempDir(), "a", "b", "audit.log");
    const device = new FileDevice({ path: file, mode: 0o600 }, systemClock);
    await device.write("one\n");
    await device.close();
    expect({ text: textOf(file), mode: modeOf(file), folder: modeOf(dirname(file)) }).toEqual({
      text: "one\n",
      mode: "600",
      folder: "700",
    });
  });

  test("gets the mode that was asked for, also when it is there", async () => {
    for (const isThere of [false, true]) {
      const { file, device } = newFile(0o640);
      if (isThere) writeFileSync(file, "before\n", { mode: 0o666 });
      await device.write("one\n");
      await device.close();
      expect({ mode: modeOf(file), text: textOf(file) }).toEqual({
        mode: "640",
        text: isThere ? "before\none\n" : "one\n",
      });
    }
  });

  test("keeps its mode when none was asked for, and is private when it is new", async () => {
    const old = newFile(0);
    writeFileSync(old.file, "");
    chmodSync(old.file, 0o644);
    const fresh = newFile(0);
    for (const { device } of [old, fresh]) {
      await device.write("one\n");
      await device.close();
    }
    expect([modeOf(old.file), modeOf(fresh.file)]).toEqual(["644", "600"]);
  });

  test("may be named by a link", async () => {
    const { file, device } = newFile();
    symlinkSync(join(tempDir(), "elsewhere.log"), file);
    await device.write("one\n");
    await device.write("two\n");
    await device.close();
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(textOf(file)).toBe("one\ntwo\n");
  });

  test("has each line when many are written at once, in their order", async () => {
    const { file, device } = newFile();
    const lines = Array.from({ length: 500 }, (_, n) => `line ${n} ${"x".repeat(n)}\n`);
    await Promise.all(lines.map((line) => device.write(line)));
    expect(textOf(file)).toBe(lines.join(""));
    await device.close();
  });

  test("takes a line of megabytes whole", async () => {
    const { file, device } = newFile();
    const long = `${"é".repeat(3_000_000)}\n`;
    await Promise.all([device.write("a\n"), device.write(long), device.write("b\n")]);
    await device.close();
    expect(textOf(file)).toBe(`a\n${long}b\n`);
  });

  test("that was deleted is made anew", async () => {
    const { file, device } = newFile();
    await device.write("one\n");
    rmSync(file);
    await device.write("two\n");
    expect(textOf(file)).toBe("two\n");
    rmSync(dirname(file), { recursive: true });
    await device.write("three\n");
    expect(textOf(file)).toBe("three\n");
    await device.close();
  });

  test("that was moved away is made anew, and the old one gets nothing more", async () => {
    const { file, device } = newFile();
    await device.write("one\n");
    renameSync(file, `${file}.1`);
    await device.write("two\n");
    renameSync(file, `${file}.2`);
    writeFileSync(file, "made by the rotation\n", { mode: 0o600 });
    await device.write("three\n");
    await device.close();
    expect([`${file}.1`, `${file}.2`, file].map(textOf)).toEqual([
      "one\n",
      "two\n",
      "made by the rotation\nthree\n",
    ]);
  });

  test("that was cut goes on from its new end", async () => {
    const { file, device } = newFile();
    await device.write("one\n");
    writeFileSync(file, "");
    await device.write("two\n");
    await device.close();
    expect(textOf(file)).toBe("two\n");
  });

  test("is opened again at once when it is told to", async () => {
    const { file, device } = newFile();
    await device.write("one\n");
    renameSync(file, `${file}.1`);
    await device.reopen();
    expect(textOf(file)).toBe("");
    await device.write("two\n");
    await device.close();
    expect([`${file}.1`, file].map(textOf)).toEqual(["one\n", "two\n"]);
  });

  test("with a torn last line keeps the next one apart from it", async () => {
    const { file, device } = newFile();
    await device.write("one\n");
    appendFileSync(file, '{"torn":');
    await device.write("two\n");
    await device.write("three\n");
    await device.close();
    expect(textOf(file)).toBe('one\n{"torn":\ntwo\nthree\n');
  });

  test("with a last line that somebody is still writing waits for its end", async () => {
    const file = join(tempDir(), "audit.log");
    writeFileSync(file, '{"slow":');
    const sleep = async (): Promise<void> => appendFileSync(file, "1}\n");
    const device = new FileDevice({ path: file, mode: 0o600 }, { now: () => 0, sleep });
    await device.write("two\n");
    await device.close();
    expect(textOf(file)).toBe('{"slow":1}\ntwo\n');
  });

  test("is opened anew once when a write fails", async () => {
    const file = join(tempDir(), "audit.log");
    const full = join(tempDir(), "full.log");
    symlinkSync("/dev/full", full);
    const behind = new FileDevice({ path: full, mode: 0o600 }, systemClock);
    // The open file is the full disk; by the time it fails, the name leads elsewhere.
    await behind.open();
    const written = behind.write("one\n");
    await Promise.resolve();
    await Promise.resolve();
    rmSync(full);
    symlinkSync(file, full);
    await written;
    await behind.close();
    expect(textOf(file)).toBe("one\n");
  });

  test.each([
    ["a full disk", () => "/dev/full"],
    ["a folder", () => tempDir()],
    ["a name below a file", () => join(newWritten(), "audit.log")],
    ["a pipe that nobody reads", () => newPipe()],
  ])("%s takes no line", async (_, pathOf) => {
    const device = new FileDevice({ path: pathOf(), mode: 0o600 }, systemClock);
    expect(await codeOf(device.write("one\n"))).toBe("FILE");
    expect(await codeOf(device.write("two\n"))).toBe("FILE");
    await device.close();
  });

  test("that could not be written is written again when it can", async () => {
    const folder = join(tempDir(), "logs");
    writeFileSync(folder, "in the way");
    const device = new FileDevice({ path: join(folder, "audit.log"), mode: 0o600 }, systemClock);
    expect(await codeOf(device.write("one\n"))).toBe("FILE");
    rmSync(folder);
    await device.write("two\n");
    await device.close();
    expect(textOf(join(folder, "audit.log"))).toBe("two\n");
  });

  test("of all lines that fail together, each one's writer is told", async () => {
    const device = new FileDevice({ path: "/dev/full", mode: 0o600 }, systemClock);
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(device.write("x\n"))));
    expect(codes).toEqual(Array(5).fill("FILE"));
    await device.close();
  });

  test("/dev/null keeps its mode and takes lines", async () => {
    const before = modeOf("/dev/null");
    const device = new FileDevice({ path: "/dev/null", mode: 0o600 }, systemClock);
    await device.write("one\n");
    await device.close();
    expect(modeOf("/dev/null")).toBe(before);
  });

  test("can be closed and used again", async () => {
    const { file, device } = newFile();
    await device.write("one\n");
    await device.close();
    await device.close();
    await device.write("two\n");
    await device.close();
    expect(textOf(file)).toBe("one\ntwo\n");
  });
});

function newWritten(): string {
  const file = join(tempDir(), "file");
  writeFileSync(file, "");
  return file;
}

function newPipe(): string {
  const file = join(tempDir(), "pipe");
  const { exitCode } = Bun.spawnSync(["mkfifo", file]);
  if (exitCode !== 0) throw new TypeError("mkfifo failed");
  return file;
}

/** A process that appends `count` lines to a file, each with its writer's name, once it is told to. It ends with its parent. */
function writer(file: string, name: string, count: number): ChildProcess {
  const source = join(import.meta.dirname, "..", "..", "..", "src");
  const script = `
    const { FileDevice } = await import(${JSON.stringify(join(source, "core/audit/devices/file.ts"))});
    const { systemClock } = await import(${JSON.stringify(join(source, "platform/clock.ts"))});
    const device = new FileDevice({ path: ${JSON.stringify(file)}, mode: 0o600 }, systemClock);
    process.stdout.write("ready");
    for await (const word of process.stdin) {
      for (let n = 0; n < ${count}; n += 1) {
        const line = JSON.stringify({ name: ${JSON.stringify(name)}, n, filler: "x".repeat((n * 977) % 20000) });
        await device.write(line + "\\n");
      }
      break;
    }
    await device.close();
    process.exit(0);`;
  return spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
}

describe("several processes with one audit file", () => {
  test("lose no line and tear none, also when the file is rotated under them", async () => {
    const directory = temporaryDirectory("vsec-audit-");
    const file = join(directory.path, "audit.log");
    const names = ["a", "b", "c"];
    const count = 40;
    const children = names.map((name) => writer(file, name, count));
    const ended = children.map((child) => new Promise((done) => child.once("close", done)));
    try {
      await Promise.all(children.map((child) => new Promise((done) => child.stdout?.once("data", done))));
      for (const child of children) child.stdin?.end("go");
      await until("some lines", () => existsSync(file) && statSync(file).size > 100_000);
      renameSync(file, `${file}.1`);
      expect(await Promise.all(ended)).toEqual([0, 0, 0]);
      // An empty line is what is left when a line was taken for torn that somebody was slow to write.
      const lines = [`${file}.1`, file].flatMap((part) => textOf(part).split("\n").filter(Boolean));
      const parsed = lines.map((line) => JSON.parse(line) as { name: string; n: number });
      for (const name of names) {
        const own = parsed.filter((line) => line.name === name).map(({ n }) => n);
        expect(own).toEqual(Array.from({ length: count }, (_, n) => n));
      }
    } finally {
      for (const child of children) child.kill("SIGKILL");
      directory.remove();
    }
  }, 60_000);
});

/** Who may do anything to any file cannot see what a mode refuses. */
const isRoot = process.geteuid?.() === 0;

describe("an audit file that may not be written", () => {
  test.skipIf(isRoot)("takes no line (needs a user who is not root)", async () => {
    const { file, device } = newFile(0);
    writeFileSync(file, "", { mode: 0o400 });
    expect(await codeOf(device.write("one\n"))).toBe("FILE");
    await device.close();
  });

  test("on a file system that is only for reading takes no line", async () => {
    const device = new FileDevice({ path: "/proc/version", mode: 0 }, systemClock);
    expect(await codeOf(device.write("one\n"))).toBe("FILE");
    await device.close();
  });
});

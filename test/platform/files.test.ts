import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isInMemory, systemFiles } from "../../src/platform/files.ts";
import { codeOf, text, untext } from "../barrier/world.ts";
import { temporaryDirectories } from "./temp.ts";

const newDirectory = temporaryDirectories();
const read = (path: string, followLinks = false) => systemFiles.read(path, { bytesMax: 100, followLinks });

describe("a private file", () => {
  test("comes back as it was written, is its owner's alone, and leaves nothing beside it", () => {
    const directory = newDirectory();
    const path = join(directory, "key");
    systemFiles.write(path, text("one"), { replace: false });
    systemFiles.write(path, text("two"), { replace: true });
    expect(untext(read(path) ?? undefined)).toBe("two");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(["key"]);
  });

  test("is not replaced unless that was asked for", async () => {
    const directory = newDirectory();
    const path = join(directory, "key");
    writeFileSync(path, "old");
    const write = () => systemFiles.write(path, text("new"), { replace: false });
    expect(await codeOf(write)).toBe("FILE");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(directory)).toEqual(["key"]);
  });

  test("replaces what others could read by what they cannot, also behind a link", () => {
    const directory = newDirectory();
    const path = join(directory, "key");
    writeFileSync(join(directory, "elsewhere"), "old", { mode: 0o644 });
    symlinkSync(join(directory, "elsewhere"), path);
    systemFiles.write(path, text("new"), { replace: true });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, "elsewhere"), "utf8")).toBe("old");
  });

  test("that is absent is null, also below what is no directory", () => {
    const path = join(newDirectory(), "file");
    expect(read(path)).toBeNull();
    writeFileSync(path, "");
    expect(read(join(path, "below"))).toBeNull();
  });

  test.each([0o604, 0o602, 0o601, 0o640, 0o620, 0o610, 0o666, 0o777])(
    "of mode %o is refused",
    async (mode) => {
      const path = join(newDirectory(), "key");
      writeFileSync(path, "x");
      chmodSync(path, mode);
      expect(await codeOf(() => read(path))).toBe("STORE_PERMISSIONS");
      chmodSync(path, mode & 0o700);
      expect(untext(read(path) ?? undefined)).toBe("x");
    },
  );

  test.skipIf(process.geteuid?.() !== 0)("of another user is refused (needs root to make one)", async () => {
    const path = join(newDirectory(), "key");
    writeFileSync(path, "x", { mode: 0o600 });
    chownSync(path, 12_345, 0);
    expect(await codeOf(() => read(path))).toBe("STORE_PERMISSIONS");
  });

  test("behind a link is refused unless links may be followed", async () => {
    const directory = newDirectory();
    const path = join(directory, "link");
    writeFileSync(join(directory, "key"), "x", { mode: 0o600 });
    symlinkSync(join(directory, "key"), path);
    expect(await codeOf(() => read(path))).toBe("FILE");
    expect(untext(read(path, true) ?? undefined)).toBe("x");
  });

  test("that is a directory, or a pipe that nobody writes to, is refused at once", async () => {
    const directory = newDirectory();
    const pipe = join(directory, "pipe");
    expect(spawnSync("mkfifo", ["-m", "600", pipe]).status).toBe(0);
    for (const path of [directory, pipe]) expect(await codeOf(() => read(path))).toBe("FILE");
  });

  test("is read up to its limit and refused beyond it", async () => {
    const path = join(newDirectory(), "key");
    writeFileSync(path, "x".repeat(100), { mode: 0o600 });
    expect(read(path)?.length).toBe(100);
    writeFileSync(path, "x".repeat(101));
    expect(await codeOf(() => read(path))).toBe("FILE");
  });

  test("that cannot be written fails with a code and leaves nothing", async () => {
    const directory = newDirectory();
    const path = join(directory, "missing", "key");
    expect(await codeOf(() => systemFiles.write(path, text("x"), { replace: true }))).toBe("FILE");
    mkdirSync(join(directory, "folder", "full"), { recursive: true });
    const onFolder = () => systemFiles.write(join(directory, "folder"), text("x"), { replace: true });
    expect(await codeOf(onFolder)).toBe("FILE");
    expect(readdirSync(directory)).toEqual(["folder"]);
  });

  test("is removed once", async () => {
    const path = join(newDirectory(), "key");
    writeFileSync(path, "");
    expect([systemFiles.remove(path), systemFiles.remove(path)]).toEqual([true, false]);
    expect(await codeOf(() => systemFiles.remove(newDirectory()))).toBe("FILE");
  });
});

describe("a private directory", () => {
  test("is made with what is missing above it, and made again without harm", () => {
    const path = join(newDirectory(), "a", "b");
    systemFiles.makeDirectory(path);
    systemFiles.makeDirectory(path);
    for (const each of [path, join(path, "..")]) expect(statSync(each).mode & 0o777).toBe(0o700);
  });

  test("that others may write to is refused", async () => {
    for (const mode of [0o770, 0o702, 0o777]) {
      const path = newDirectory();
      chmodSync(path, mode);
      expect(await codeOf(() => systemFiles.makeDirectory(path))).toBe("STORE_PERMISSIONS");
    }
  });

  test("that is a link or a file is refused", async () => {
    const directory = newDirectory();
    symlinkSync(directory, join(directory, "link"));
    writeFileSync(join(directory, "file"), "");
    for (const name of ["link", "file"]) {
      expect(await codeOf(() => systemFiles.makeDirectory(join(directory, name)))).toBe("FILE");
    }
  });
});

describe("where files are kept", () => {
  test.skipIf(!existsSync("/dev/shm") || !existsSync("/proc/self"))(
    "is memory for a tmpfs, and not for other file systems (needs Linux)",
    () => {
      expect([isInMemory("/dev/shm"), isInMemory("/proc/self"), isInMemory("/missing")]).toEqual([
        true,
        false,
        false,
      ]);
    },
  );
});

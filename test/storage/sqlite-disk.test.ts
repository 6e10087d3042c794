import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { put } from "./entries.ts";
import { canMount, makeDirectory, mustMount, removeDirectory } from "./places.ts";

let directory: string;
let file: string;

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, "store.db");
});
afterEach(() => removeDirectory(directory));

async function makeStore(path = file): Promise<void> {
  const storage = openSqliteStorage({ file: path, create: true });
  await storage.commit([put("a", "kept", { dueAt: 10 }), put("b/c", "kept")]);
  await storage.close();
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
const refusal = (code: string, ...texts: string[]): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(new RegExp(texts.join(".*"), "u")) });

function opening(options: { create?: boolean } = {}): () => void {
  return () => openSqliteStorage({ file, ...options });
}

describe("the store's files", () => {
  test("a new store, its logs and its new directories are closed to everyone else, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      file = join(directory, "x", "y", "store.db");
      const storage = openSqliteStorage({ file, create: true });
      await storage.commit([put("a")]);
      const folder = join(directory, "x", "y");
      expect(readdirSync(folder).toSorted()).toEqual(["store.db", "store.db-shm", "store.db-wal"]);
      expect(readdirSync(folder).map((name) => modeOf(join(folder, name)))).toEqual(["600", "600", "600"]);
      expect([modeOf(folder), modeOf(join(directory, "x"))]).toEqual(["700", "700"]);
      await storage.close();
    } finally {
      process.umask(before);
    }
  });

  test("opening for creation leaves a store that is there as it is", async () => {
    await makeStore();
    const storage = openSqliteStorage({ file, create: true });
    expect(await storage.get("a")).toMatchObject({ version: 1 });
    expect(await storage.writes()).toBe(2);
    await storage.close();
  });

  test("a path with characters that mean something in a URL or to a shell is the path of the file", async () => {
    file = join(directory, "a b?mode=memory#%41'$(x).db");
    await makeStore();
    expect(readdirSync(directory)).toEqual(["a b?mode=memory#%41'$(x).db"]);
    chmodSync(file, 0o644);
    expect(opening()).toThrow(refusal("STORE_PERMISSIONS", `run chmod 0600 '.*'\\\\''\\$\\(x\\).db'$`));
  });

  test.each([
    ["where there is none", (): void => undefined],
    ["where there is no directory", () => removeDirectory(directory)],
    ["where the file is empty", () => writeFileSync(file, "", { mode: 0o600 })],
  ])("opening %s says that there is no store, and makes nothing", (_, arrange) => {
    arrange();
    const before = existsSync(directory) ? readdirSync(directory) : [];
    expect(opening()).toThrow(refusal("STORE_MISSING", "no store at .*store.db", "vsec operator init"));
    expect(existsSync(directory) ? readdirSync(directory) : []).toEqual(before);
  });

  test("a creation that died after making the file is completed by the next one", async () => {
    writeFileSync(file, "", { mode: 0o600 });
    await makeStore();
    const storage = openSqliteStorage({ file });
    expect(await storage.writes()).toBe(2);
    await storage.close();
  });

  test("a store that was moved with its log has what was committed", async () => {
    const storage = openSqliteStorage({ file, create: true });
    await storage.commit([put("a", "in the log")]);
    const target = join(directory, "moved.db");
    copyFileSync(file, target);
    copyFileSync(`${file}-wal`, `${target}-wal`);
    await storage.close();
    const moved = openSqliteStorage({ file: target });
    expect(await moved.get("a")).not.toBeNull();
    await moved.close();
  });
});

describe("a store that others could reach", () => {
  test.each([0o644, 0o640, 0o620, 0o604, 0o601, 0o660])("a file of mode %o is refused", async (mode) => {
    await makeStore();
    chmodSync(file, mode);
    const text = mode.toString(8).padStart(4, "0");
    for (const create of [false, true])
      expect(opening({ create })).toThrow(
        refusal("STORE_PERMISSIONS", file, `mode ${text}`, `run chmod 0600 ${file}$`),
      );
    chmodSync(file, 0o600);
    openSqliteStorage({ file });
  });

  test.each([0o755, 0o750, 0o711, 0o770, 0o1777])("a directory of mode %o is refused", async (mode) => {
    await makeStore();
    chmodSync(directory, mode);
    const text = mode.toString(8).padStart(4, "0");
    expect(opening()).toThrow(
      refusal("STORE_PERMISSIONS", "directory", `mode ${text}`, `run chmod 0700 ${directory}$`),
    );
  });

  test("no store is created in a directory that others can reach", () => {
    chmodSync(directory, 0o755);
    expect(opening({ create: true })).toThrow(refusal("STORE_PERMISSIONS", `run chmod 0700 ${directory}$`));
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a symbolic link is refused, also one that points nowhere", async () => {
    await makeStore();
    const real = file;
    file = join(directory, "link.db");
    symlinkSync(real, file);
    expect(opening()).toThrow(refusal("STORE_PERMISSIONS", "link.db is a symbolic link"));
    renameSync(real, join(directory, "elsewhere.db"));
    expect(opening({ create: true })).toThrow(refusal("STORE_PERMISSIONS", "symbolic link"));
    expect(readdirSync(directory).toSorted()).toEqual(["elsewhere.db", "link.db"]);
  });

  const isRoot = process.geteuid?.() === 0;
  const rootNote = isRoot ? " (skipped: root may do everything)" : "";
  const why = isRoot ? "" : " (skipped: only root can give files away)";
  test.skipIf(!isRoot)(`a file or a directory of another user is refused${why}`, async () => {
    await makeStore();
    chownSync(file, 12_345, 12_345);
    expect(opening()).toThrow(refusal("STORE_PERMISSIONS", "store.db belongs to user 12345"));
    chownSync(file, 0, 0);
    chownSync(directory, 12_345, 12_345);
    expect(opening()).toThrow(refusal("STORE_PERMISSIONS", "directory .* belongs to user 12345"));
  });

  test.skipIf(isRoot)(`a file that its owner may not read is refused${rootNote}`, async () => {
    await makeStore();
    chmodSync(file, 0o200);
    expect(opening()).toThrow(refusal("STORE_PERMISSIONS", "this user may not"));
  });

  test.skipIf(isRoot)(
    `a file or directory that may only be read can be read, and no more${rootNote}`,
    async () => {
      await makeStore();
      for (const [fileMode, directoryMode] of [
        [0o400, 0o700],
        [0o400, 0o500],
        [0o600, 0o500],
      ] as const) {
        chmodSync(file, fileMode);
        chmodSync(directory, directoryMode);
        const storage = openSqliteStorage({ file });
        expect(await storage.get("a")).toMatchObject({ version: 1 });
        await expect(storage.commit([put("c")])).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
        await storage.close();
        chmodSync(directory, 0o700);
        for (const suffix of ["-wal", "-shm"]) removeDirectory(file + suffix);
      }
    },
  );

  test("a directory in the place of the store is refused", () => {
    mkdirSync(file, { mode: 0o700 });
    for (const create of [false, true])
      expect(opening({ create })).toThrow(
        refusal("STORE_FOREIGN", "store.db is not a vsec store but a directory"),
      );
  });

  test("a file in the place of the directory is refused", () => {
    writeFileSync(file, "", { mode: 0o600 });
    file = join(file, "store.db");
    for (const create of [false, true])
      expect(opening({ create })).toThrow(refusal("STORE_IO", "ENOTDIR|EEXIST"));
  });
});

const mountNote = canMount ? "" : " (skipped: this user may not mount a file system)";

describe.skipIf(!canMount)(`a full disk${mountNote}`, () => {
  test("writing to it is reported as such, loses nothing, and works again when there is space", async () => {
    const small = mustMount(1024 * 1024);
    try {
      const path = join(small.directory, "store.db");
      await makeStore(path);
      const filler = join(small.directory, "filler");
      const storage = openSqliteStorage({ file: path });
      await storage.commit([put("before", "kept")]);
      writeFileSync(filler, fill(small.directory));
      const large = { op: "put", key: "large", value: new Uint8Array(200_000).fill(1) } as const;
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await expect(storage.commit([put("a", "lost"), large])).rejects.toMatchObject({
          code: "STORE_FULL",
          message: expect.stringContaining("its disk is full: nothing was written"),
        });
        expect(await storage.list("", { limit: 9 })).toEqual({ names: ["a", "b/", "before"], next: null });
        expect(await storage.get("a")).toMatchObject({ version: 1 });
      }
      truncateSync(filler, 0);
      expect(await storage.commit([large])).toEqual([4]);
      await storage.close();
      await expectIntact(path, 4);
    } finally {
      small.dispose();
    }
  });

  test("opening and creating on it are reported as such, and leave a store that can be used later", async () => {
    const small = mustMount(256 * 1024);
    try {
      const path = join(small.directory, "store.db");
      const filler = join(small.directory, "filler");
      writeFileSync(filler, fill(small.directory));
      expect(() => openSqliteStorage({ file: path, create: true })).toThrow(
        refusal("STORE_FULL", "disk is full"),
      );
      truncateSync(filler, 0);
      await makeStore(path);
      writeFileSync(filler, fill(small.directory));
      expect(() => openSqliteStorage({ file: path })).toThrow(refusal("STORE_FULL", "disk is full"));
      truncateSync(filler, 0);
      await expectIntact(path, 2);
    } finally {
      small.dispose();
    }
  });

  /** As many bytes as still fit. */
  function fill(folder: string): Uint8Array {
    const { bavail, bsize } = statfsSync(folder);
    return new Uint8Array(bavail * bsize);
  }

  async function expectIntact(path: string, writes: number): Promise<void> {
    const storage = openSqliteStorage({ file: path });
    expect(await storage.writes()).toBe(writes);
    expect(await storage.get("a")).toMatchObject({ version: 1, dueAt: 10 });
    await storage.close();
  }
});

describe.skipIf(!canMount)(`a read-only file system${mountNote}`, () => {
  const readOnly = {
    code: "STORE_READ_ONLY",
    message: expect.stringContaining("read-only: make it writable"),
  };

  test("a store on it can be read, and writing is reported", async () => {
    const small = mustMount(1024 * 1024);
    try {
      const path = join(small.directory, "store.db");
      await makeStore(path);
      small.makeReadOnly();
      for (const create of [false, true]) {
        const storage = openSqliteStorage({ file: path, create });
        expect(await storage.get("a")).toMatchObject({ version: 1 });
        expect((await storage.list("", { limit: 9 })).names).toEqual(["a", "b/"]);
        expect((await storage.scan("", { limit: 9 })).entries).toHaveLength(2);
        expect([await storage.nextDue(), await storage.writes()]).toEqual([10, 2]);
        await expect(storage.commit([put("c")])).rejects.toMatchObject(readOnly);
        await expect(storage.claim({ now: 10, limit: 1, owner: "w", until: 20 })).rejects.toMatchObject(
          readOnly,
        );
        expect(await storage.claim({ now: 9, limit: 1, owner: "w", until: 20 })).toEqual([]);
        await storage.close();
      }
    } finally {
      small.dispose();
    }
  });

  test("a store whose last changes are in its log is not read without them", async () => {
    const small = mustMount(1024 * 1024);
    try {
      const path = join(small.directory, "store.db");
      const storage = openSqliteStorage({ file, create: true });
      await storage.commit([put("a")]);
      for (const suffix of ["", "-wal"]) {
        copyFileSync(file + suffix, path + suffix);
        chmodSync(path + suffix, 0o600);
      }
      await storage.close();
      expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
      small.makeReadOnly();
      expect(() => openSqliteStorage({ file: path })).toThrow(
        refusal("STORE_READ_ONLY", "-wal file", "writable"),
      );
    } finally {
      small.dispose();
    }
  });

  test("no store can be created on it", () => {
    const small = mustMount(65_536);
    try {
      small.makeReadOnly();
      const path = join(small.directory, "store.db");
      expect(() => openSqliteStorage({ file: path, create: true })).toThrow(
        refusal("STORE_READ_ONLY", "read-only"),
      );
      const deeper = join(small.directory, "new", "store.db");
      expect(() => openSqliteStorage({ file: deeper, create: true })).toThrow(
        refusal("STORE_READ_ONLY", "read-only"),
      );
    } finally {
      small.dispose();
    }
  });
});

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FORMAT } from "../../src/storage/sqlite/schema.ts";
import { World } from "./world.ts";

const worlds: World[] = [];
afterAll(() => {
  for (const world of worlds) world.remove();
});

async function initialised(): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.ok("operator init -seal=key-file");
  await world.ok("secrets enable -path=mine database");
  return world;
}

const fileOf = (world: World): string => join(world.store, "store.db");

function sql(file: string, text: string): void {
  const database = new DatabaseSync(file);
  database.exec(text);
  database.close();
  chmodSync(file, 0o600);
}

/**
 * Merges the log that the last command left into the file. Before it, what is missing in the file may be in the log, from where
 * SQLite mends it.
 */
const merge = (file: string): void => sql(file, "PRAGMA wal_checkpoint(TRUNCATE)");

const NO_DATABASE = "not a store at all. ".repeat(100);

interface BadStore {
  readonly what: string;
  spoil(file: string): void;
  readonly says: string;
}

/** Stores that no command may open. What is said tells the reason and what to do next. */
const BAD_STORES: readonly BadStore[] = [
  {
    what: "a file that others may read",
    spoil: (file) => chmodSync(file, 0o644),
    says: "has mode 0644, which lets others in: run chmod 0600 ",
  },
  {
    what: "a directory that others may enter",
    spoil: (file) => chmodSync(join(file, ".."), 0o755),
    says: "has mode 0755, which lets others in: run chmod 0700 ",
  },
  {
    what: "a link to a file",
    spoil: (file) => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
    says: "is a symbolic link: name the file itself",
  },
  {
    what: "another program's database",
    spoil: (file) => {
      rmSync(file);
      sql(file, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    },
    says: "is not a vsec store but another program's SQLite file",
  },
  {
    what: "a file that is no database",
    spoil: (file) => {
      merge(file);
      writeFileSync(file, NO_DATABASE);
    },
    says: "the file is damaged: keep a copy of it",
  },
  {
    what: "half of the file",
    spoil: (file) => {
      merge(file);
      truncateSync(file, Math.floor(statSync(file).size / 2));
    },
    says: "the file is damaged: keep a copy of it",
  },
  {
    what: "a format from the future",
    spoil: (file) => sql(file, "PRAGMA user_version = 99"),
    says: `has format 99, and this vsec knows formats up to ${FORMAT}: install a newer vsec`,
  },
  {
    what: "a format from before the first release",
    spoil: (file) => sql(file, "PRAGMA user_version = 1"),
    says: `has format 1, from before vsec's first release, and this vsec knows format ${FORMAT} only: revoke its leases`,
  },
  {
    what: "values that were swapped",
    spoil: (file) =>
      sql(
        file,
        "UPDATE entry SET value = (SELECT value FROM entry AS other WHERE other.id <> entry.id LIMIT 1)",
      ),
    says: "",
  },
];

/**
 * SQLite's log where it is empty, and the log's index, which holds only what can be made anew. The last connection to close
 * removes both; when the last two close at the same instant, each sees the other and neither does.
 */
function holdsNothing(path: string): boolean {
  return path.endsWith("-shm") || (path.endsWith("-wal") && statSync(path).size === 0);
}

/** Every file below a folder that holds something, with its content and mode. */
function snapshot(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    paths
      .filter((path) => !holdsNothing(path))
      .map((path) => [path, `${statSync(path).mode.toString(8)} ${Bun.hash(readFileSync(path))}`]),
  );
}

describe("a store that cannot be used", () => {
  /** Every command fails with `says`, and shows nothing else. */
  async function expectRefusals(world: World, says: string): Promise<void> {
    const ended = await Promise.all(
      [
        "secrets list",
        "secrets enable database",
        "operator rotate",
        "operator init -seal=key-file",
        "daemon -once",
      ].map((line) => world.run(line)),
    );
    for (const { code, stdout, stderr } of ended) {
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(says);
      expect(stderr).not.toMatch(/\n\s+at |unexpected/);
    }
  }

  test.each(BAD_STORES)("$what is refused by every command, and left as it is", async ({ spoil, says }) => {
    const world = await initialised();
    spoil(fileOf(world));
    const before = snapshot(world.home);
    await expectRefusals(world, says);
    expect(snapshot(world.home)).toEqual(before);
  });

  test("a file that is no database is refused, too, with the log of a store beside it", async () => {
    const world = await initialised();
    expect(statSync(`${fileOf(world)}-wal`).size).toBeGreaterThan(0);
    writeFileSync(fileOf(world), NO_DATABASE);
    await expectRefusals(world, "the file is damaged: keep a copy of it");
  });

  test.each(BAD_STORES.slice(0, 7))(
    "status fails with 1 for $what, since 2 means sealed",
    async ({ spoil, says }) => {
      const world = await initialised();
      spoil(fileOf(world));
      const { code, stdout, stderr } = await world.run("status");
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain(says);
    },
  );

  test("one that another process keeps locked is waited for and then refused; nothing is lost", async () => {
    const world = await initialised();
    const holder = new DatabaseSync(fileOf(world));
    holder.exec("BEGIN IMMEDIATE");
    const { code, stdout, stderr } = await world.run("secrets enable -path=late database");
    holder.exec("ROLLBACK");
    holder.close();
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("another process keeps it locked: try again");
    expect(Object.keys(await world.json("secrets list"))).toEqual([
      "cubbyhole/",
      "identity/",
      "mine/",
      "sys/",
    ]);
  });

  test("one whose mode is put right again is whole", async () => {
    const world = await initialised();
    chmodSync(fileOf(world), 0o644);
    expect((await world.run("secrets list")).code).toBe(2);
    chmodSync(fileOf(world), 0o600);
    expect(Object.keys(await world.json("secrets list"))).toEqual([
      "cubbyhole/",
      "identity/",
      "mine/",
      "sys/",
    ]);
  });
});

describe("a store's place", () => {
  test("-store wins over VSEC_STORE, and a copy of the folder is a store", async () => {
    const world = await initialised();
    const copy = join(world.home, "copy");
    // The last changes are in the log: the file alone would be no copy.
    expect(readdirSync(world.store).sort()).toEqual(["store.db", "store.db-shm", "store.db-wal"]);
    cpSync(world.store, copy, { recursive: true });
    await world.ok(`secrets disable -store=${copy} mine`);
    expect(Object.keys(await world.json(`secrets list -store=${copy}`))).toEqual([
      "cubbyhole/",
      "identity/",
      "sys/",
    ]);
    expect(Object.keys(await world.json("secrets list"))).toEqual([
      "cubbyhole/",
      "identity/",
      "mine/",
      "sys/",
    ]);
  });

  test("without either it is in the user's data directory", async () => {
    const world = new World();
    worlds.push(world);
    const env = { VSEC_STORE: undefined };
    await world.ok("operator init -seal=key-file", { env });
    expect(statSync(join(world.home, ".local/share/vsec/store.db")).mode & 0o777).toBe(0o600);
    const data = join(world.home, "data");
    await world.ok("operator init -seal=key-file", { env: { ...env, XDG_DATA_HOME: data } });
    expect(statSync(join(data, "vsec/store.db")).mode & 0o777).toBe(0o600);
  });
});

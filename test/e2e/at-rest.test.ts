import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { addDatabase, type Creds, readCreds } from "./database.ts";
import { World } from "./world.ts";

/** How a text may stand in a file: as it is, in two bytes a character, in hex, and in base64 wherever it begins. */
function spellings(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].flatMap((shift) => {
    // What stands before and behind the text changes the characters at its edges, so these are left out.
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const whole = shifted
      .toString("base64")
      .replace(/=+$/, "")
      .slice(shift === 0 ? 0 : 4, -3);
    return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const texts = [hex, hex.toUpperCase(), ...base64].map((each) => Buffer.from(each, "latin1"));
  return [bytes, Buffer.from(text, "utf16le"), ...texts];
}

const isIn = (content: Buffer, text: string): boolean =>
  spellings(text).some((each) => content.includes(each));

const filesOf = (folder: string): string[] =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());

describe("the search", () => {
  test.each(["utf8", "utf16le", "hex", "base64", "base64url"] as const)(
    "finds a text in %s, wherever it begins",
    (encoding) => {
      const isText = encoding === "utf8" || encoding === "utf16le";
      for (const before of ["", "x", "xy", "xyz"]) {
        const line = `${before}a-distinctive-name~${before}`;
        const content = isText
          ? Buffer.from(line, encoding)
          : Buffer.from(Buffer.from(line).toString(encoding));
        expect(isIn(content, "a-distinctive-name")).toBe(true);
      }
      expect(isIn(Buffer.from("another name"), "a-distinctive-name")).toBe(false);
    },
  );
});

describe.skipIf(postgresMissing(18) !== undefined)("what lies in the store's directory", () => {
  const world = new World();
  let server: PostgresServer;
  let secrets: Readonly<Record<string, string>> = {};
  /** Every file that was there while the session went on, and after it. */
  const seen: { readonly name: string; readonly mode: number; readonly content: Buffer }[] = [];

  function look(): void {
    for (const file of filesOf(world.store)) {
      seen.push({ name: file, mode: statSync(file).mode & 0o777, content: readFileSync(file) });
    }
  }

  function secretsOf(root: string, admin: { username: string; password: string }, creds: readonly Creds[]) {
    const issued = creds.flatMap(({ lease_id, data }, index) => [
      [`lease id ${index}`, lease_id],
      [`random part of lease id ${index}`, lease_id.split("/").at(-1) ?? ""],
      [`user ${index}`, data.username],
      [`password ${index}`, data.password],
    ]);
    return Object.fromEntries([
      ["root token", root],
      ["random part of the root token", root.slice("hvs.".length)],
      ["role", "distinctiverole"],
      ["mount", "distinctivemount"],
      ["connection", "distinctiveconnection"],
      ["administrator", admin.username],
      ["administrator's password", admin.password],
      ["address", `127.0.0.1:${server.port}`],
      ["statement", "VALID UNTIL"],
      ["plugin", "postgresql-database-plugin"],
      ...issued,
    ]) as Record<string, string>;
  }

  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await world.ok("operator init -seal=key-file");
    const root = (await world.ok("print token")).trim();
    // A daemon keeps the store open, so that its write-ahead log is there to look into.
    const daemon = await world.daemon();
    const admin = await addDatabase(world, server, {
      mount: "distinctivemount",
      connection: "distinctiveconnection",
      roles: { distinctiverole: "1h" },
    });
    look();
    const path = "distinctivemount/creds/distinctiverole";
    const creds = [await readCreds(world, path), await readCreds(world, path), await readCreds(world, path)];
    look();
    await world.ok(`lease renew ${creds[0]?.lease_id}`);
    await world.ok(`lease revoke ${creds[1]?.lease_id}`);
    await world.ok("write -force distinctivemount/rotate-root/distinctiveconnection");
    await world.ok("operator rotate");
    await world.run("read distinctivemount/creds/nope");
    look();
    daemon.kill("SIGTERM");
    await daemon.ended;
    look();
    secrets = secretsOf(root, admin, creds);
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });

  test("is the store, its write-ahead log and its index, for their owner alone", () => {
    const names = new Set(seen.map(({ name }) => name.slice(world.store.length + 1)));
    expect([...names].sort()).toEqual(["store.db", "store.db-shm", "store.db-wal"]);
    expect(seen.filter(({ mode }) => mode !== 0o600)).toEqual([]);
    expect(statSync(world.store).mode & 0o777).toBe(0o700);
  });

  test("has no secret and no name in it, in any spelling", () => {
    const found = Object.entries(secrets).flatMap(([what, text]) =>
      seen.filter(({ content }) => isIn(content, text)).map(({ name }) => `${what} in ${name}`),
    );
    expect(found).toEqual([]);
    expect(Object.values(secrets).every((text) => text.length >= 8)).toBe(true);
  });

  test("only the token file and the key file lie outside, for their owner alone", () => {
    const outside = readdirSync(world.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath !== world.store)
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.endsWith("create.sql"));
    expect(outside.map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(outside).toContain(world.tokenFile);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  fromTextArray,
  identifiers,
  textArray,
} from "../../../../src/engines/database/plugins/postgresql/quoting.ts";
import { lockKey } from "../../../../src/engines/database/plugins/postgresql/transaction.ts";
import { type PostgresServer, startPostgres } from "../../../servers/postgres.ts";
import { onEachVersion } from "./fixture.ts";

const PLAIN = [
  "v-root-app-1",
  "a",
  "with space",
  "comma,",
  "{brace}",
  "it's",
  "NULL",
  "",
  "ü日🦊",
  "tab\tline\n",
];
const LISTS = [
  [],
  [""],
  ["one"],
  PLAIN,
  [...PLAIN, 'qu"ote'],
  ["back\\slash", ...PLAIN],
  ['\\"', '"\\', "\\\\", '""'],
];

test("identifiers are quoted, whether or not one among them needs more than quotes", () => {
  expect(identifiers([])).toBe("");
  expect(identifiers(["a", "B c"])).toBe('"a", "B c"');
  expect(identifiers(["a", 'b"c', "d\\e"])).toBe('"a", "b""c", "d\\e"');
});

test("the key of a name is what it always was: the first 8 bytes of its SHA-256, signed", () => {
  expect(lockKey("v-root-app-1")).toBe("4042199309549171247");
  for (const name of ["", "a", "ü日🦊", "x".repeat(63)]) {
    const digest = createHash("sha256").update(name, "utf8").digest();
    expect(lockKey(name)).toBe(digest.readBigInt64BE(0).toString());
  }
});

onEachVersion((version) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version });
  });
  afterAll(async () => {
    await server?.stop();
  });

  describe("arrays of texts", () => {
    test.each(LISTS.map((texts) => ({ texts })))(
      "are what the server reads and writes: %j",
      async ({ texts }) => {
        const [row] = await server.query("SELECT $1::text[] AS read, $1::text[]::text AS written", [
          textArray(texts),
        ]);
        expect(row?.read).toEqual(texts);
        expect(fromTextArray(String(row?.written))).toEqual([...texts]);
      },
    );
  });
});

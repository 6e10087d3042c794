import { expect, test } from "bun:test";
import { postgresql } from "../../../../src/engines/database/plugins/postgresql/plugin.ts";
import { identifier, literal } from "../../../../src/engines/database/plugins/postgresql/quoting.ts";
import { scramVerifier } from "../../../../src/engines/database/plugins/postgresql/scram.ts";
import { formatExpiration } from "../../../../src/engines/database/user-values.ts";
import { context } from "./fixture.ts";

test.each([
  ["token", "myrolename", /^v-token-myrolena-[A-Za-z0-9]{20}-[0-9]{10}$/],
  ["amuchlonger_dispname", "role-name-with-dashes", /^v-amuchlon-role-nam-[A-Za-z0-9]{20}-[0-9]{10}$/],
  ["", "r", /^v--r-[A-Za-z0-9]{20}-1700000000$/],
  ["aaaaaaaé", "r", /^v-aaaaaaa-r-[A-Za-z0-9]{20}-1700000000$/],
])("the default user name for %s and %s", (displayName, roleName, pattern) => {
  const name = postgresql.defaultUsername(displayName, roleName, context.random, 1_700_000_000_999);
  expect(name).toMatch(pattern);
});

test("an expiration is a moment in UTC", () => {
  expect(formatExpiration(Date.UTC(2031, 0, 2, 3, 4, 5, 678))).toBe("2031-01-02 03:04:05+0000");
});

test("identifiers and literals are quoted", () => {
  expect(identifier('a"b')).toBe('"a""b"');
  expect(literal("it's")).toBe("'it''s'");
  expect(literal("a\\'b")).toBe(" E'a\\\\''b'");
});

/** The example exchange of RFC 7677 section 3: user "user", password "pencil". */
test("the verifier agrees with the example of RFC 7677", async () => {
  const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
  expect(await scramVerifier("pencil", salt)).toBe(
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
  );
});

test("passwords that look the same have the same verifier", async () => {
  const salt = new Uint8Array(16);
  expect(await scramVerifier("e\u0301\u00a0x\u00ad", salt)).toBe(await scramVerifier("\u00e9 x", salt));
});

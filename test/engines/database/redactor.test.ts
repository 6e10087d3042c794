import { expect, test } from "bun:test";
import { Redactor } from "../../../src/engines/database/failures.ts";

test("a piece of a secret that a server quotes is taken out, but not a name that the secret only begins with", () => {
  const redactor = new Redactor(["admin-7f3k"], ["admin"]);
  expect(redactor.text('password authentication failed for user "admin"')).toBe(
    'password authentication failed for user "admin"',
  );
  expect(redactor.with("other").text('no such user: "admin"')).toBe('no such user: "admin"');
  expect(redactor.text('invalid value "n-7f" near admin-7f3k')).toBe(
    'invalid value "[password]" near [password]',
  );
  // A word that a parser stumbled over may be cut out of the secret itself.
  expect(redactor.text('syntax error at or near "admin"', true)).toBe('syntax error at or near "[password]"');
});

test("a name that is the secret is taken out", () => {
  expect(new Redactor(["admin"], ["admin"]).text('failed for user "admin"')).toBe(
    'failed for user "[password]"',
  );
});

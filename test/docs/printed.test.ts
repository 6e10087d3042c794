import { describe, expect, test } from "bun:test";
import { expressionFor, normalised } from "./printed.ts";

const SHOWN = [
  "Key                Value",
  "---                -----",
  "lease_id           database/creds/app/eowITnejErjowdUzh3IXPuW6",
  "lease_duration     1h",
  "password           -gcU6C2tWeIulok0up5y",
  "username           v-root-app-rkoLwxUmHZxcIkZyvQgx-1795336037",
  "ttl                59m58s",
  "last_vault_rotation    2026-11-28T16:49:06.113Z",
];

const PRINTED = `Key                    Value
---                    -----
lease_id               database/creds/app/HWf0LExXiy3JUbCnpZ4m8KKJ
lease_duration         1h
password               MA7f7VQtlQeUvV-w1d7i
username               v-root-app-A4I1faI4yZqbUlgommxQ-1795884545
ttl                    1h0m0s
last_vault_rotation    2027-01-01T00:00:00Z
`;

describe("what a command prints", () => {
  const fits = (printed: string, shown: readonly string[] = SHOWN) =>
    expressionFor(shown).test(normalised(printed));

  test("may have other ids, passwords, times and widths than the page shows", () => {
    expect(fits(PRINTED)).toBe(true);
  });

  test.each([
    ["another field", "lease_duration  ", "lease_length  "],
    ["another value", "1h\n", "2h\n"],
    ["another path", "database/creds/app", "database/creds/other"],
    ["a user of another role", "v-root-app-", "v-root-other-"],
    ["a password that is none", "MA7f7VQtlQeUvV-w1d7i", "hunter2"],
    ["a point in time that is none", "2027-01-01T00:00:00Z", "n/a"],
    ["a line more", "---  ", "warning: x\n---  "],
    ["a line less", "lease_duration         1h\n", ""],
    ["something before it", "Key  ", "Success! Key  "],
    ["something after it", "00Z\n", "00Z\nmore\n"],
  ])("may not have %s", (_, from, to) => {
    expect(PRINTED).toContain(from);
    expect(fits(PRINTED.replace(from, to))).toBe(false);
  });

  test("may be anything where the page leaves out, and nothing else around that", () => {
    const shown = ["first", "…", "Valid: … until …", "last"];
    expect(fits("first\nLast\n\nValid: 1 until 2\nlast\n", shown)).toBe(true);
    expect(fits("first\nValid: 1 until 2\nlast\n", shown)).toBe(true);
    expect(fits("first\nValid: 1\nuntil 2\nlast\n", shown)).toBe(false);
    expect(fits("first\nValid: 1 until 2\nlast\nx\n", shown)).toBe(false);
  });
});

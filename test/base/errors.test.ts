import { expect, test } from "bun:test";
import { rmdirSync } from "node:fs";
import { systemReason } from "../../src/base/errors.ts";

test.each([
  ["EACCES: permission denied, mkdir '/x'", "permission denied"],
  ["no space left on device", "no space left on device"],
  ["ENOENT: no such file or directory, rename '/a, b' -> '/c'", "no such file or directory"],
  ["something else, entirely", "something else, entirely"],
])("of %p the reason is %p", (text, reason) => {
  expect(systemReason(new Error(text))).toBe(reason);
});

test("the runtime writes its errors like that", () => {
  let thrown: unknown;
  try {
    rmdirSync("/nowhere/at/all");
  } catch (error) {
    thrown = error;
  }
  expect(systemReason(thrown)).toBe("no such file or directory");
});

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { environmentText } from "../../src/cli/output/environment.ts";
import { parseDotenv } from "../../src/cli/run/dotenv.ts";

const value = fc
  .oneof(
    fc.string({ maxLength: 20 }),
    fc.string({
      unit: fc.constantFrom("'", '"', "$", "\\", "`", "\n", "#", " ", "a", "=", "é"),
      maxLength: 12,
    }),
  )
  .filter((text) => !/[\0\r]/.test(text));

describe("NAME=value lines", () => {
  test("are named for the fields, and leave out what has no value", () => {
    const body = { data: { "api-key": "k 1", user: "bob", port: 5432, none: null, "2nd": [1] } };
    expect(environmentText(body, "env")).toBe(
      "export API_KEY='k 1'\nexport PORT=5432\nexport USER=bob\nexport _2ND='[1]'\n",
    );
    expect(environmentText(body, "dotenv", "user")).toBe("USER=bob\n");
  });

  test("are the wrapping token's, where the answer is wrapped", () => {
    const wrap_info = { token: "hvs.x", accessor: "y", ttl: 60, creation_path: "a/b", wrapped_accessor: "" };
    expect(environmentText({ data: null, wrap_info }, "env")).toBe(
      "export WRAPPING_ACCESSOR=y\nexport WRAPPING_TOKEN=hvs.x\nexport WRAPPING_TOKEN_CREATION_PATH=a/b\nexport WRAPPING_TOKEN_TTL=60\n",
    );
    expect(environmentText({ data: null, wrap_info }, "env", "wrapping_token")).toBe(
      "export WRAPPING_TOKEN=hvs.x\n",
    );
  });

  test("are never silently none: an answer without data, or without the field, is a failure", () => {
    expect(() => environmentText({ data: null, warnings: ["Invalid path"] }, "env")).toThrow(
      "no data to make variables of. Invalid path",
    );
    expect(() => environmentText({ data: { a: "b" } }, "env", "c")).toThrow(
      'Field "c" not present in secret',
    );
    expect(environmentText({ lease_id: "x/1", data: { a: "b" } }, "dotenv", "lease_id")).toBe(
      "LEASE_ID=x/1\n",
    );
  });

  test("are a versioned secret's own data", () => {
    expect(environmentText({ data: { data: { a: "b" }, metadata: { version: 1 } } }, "dotenv")).toBe("A=b\n");
  });

  test("give every value back to a reader of environment files", () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(parseDotenv(environmentText({ data: { a: text } }, "dotenv"))).toEqual([
          { name: "A", value: text, line: 1 },
        ]);
      }),
    );
  });

  test("give every value back to a shell", () => {
    const texts = fc.sample(value, { numRuns: 200, seed: 7 });
    const data = Object.fromEntries(texts.map((text, index) => [`v${index}`, text]));
    const printed = texts.map((_, index) => `printf '%s\\0' "$V${index}"`).join("\n");
    const { stdout } = spawnSync("sh", ["-c", `${environmentText({ data }, "env")}\n${printed}`]);
    expect(stdout.toString().split("\0").slice(0, -1)).toEqual(texts);
  });

  test.each(["A", "A B=1", "=1", "A='x", 'A="x'])("%p is refused with its line", (line) => {
    expect(() => parseDotenv(`X=1\n${line}\n`)).toThrow(/^2: /);
  });
});

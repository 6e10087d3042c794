import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Method } from "../../src/contract/wire.ts";
import { dataOf } from "../core/world.ts";
import { AccessWorld } from "./world.ts";

/** Ways to write a path that a policy's author did not think of. */
describe("a path that is written in another way", () => {
  let world: AccessWorld;
  /** May do everything with notes but those that begin with `secret`. */
  let token = "";
  beforeAll(async () => {
    world = await AccessWorld.create();
    await world.write("tiny/note/secret", { value: "hush" });
    token = await world.tokenFor({
      "tiny/note/*": ["create", "read", "update", "delete", "list"],
      "tiny/note/secret*": ["deny"],
    });
  });
  afterAll(() => world.close());

  test("is the case without any trick: what is denied is denied, the rest is not", async () => {
    expect(await world.outcome(token, "GET", "tiny/note/secret")).toBe("403 permission denied");
    expect(await world.outcome(token, "PUT", "tiny/note/open", { body: { a: 1 } })).toBe("204");
  });

  const TRICKS: readonly (readonly [string, string])[] = [
    ["a doubled slash", "tiny//note/secret"],
    ["a doubled slash inside the allowed folder", "tiny/note//secret"],
    ["slashes before it", "///tiny/note/secret"],
    ["a step up", "tiny/note/open/../secret"],
    ["a step that stays", "tiny/note/./secret"],
    ["a step up at the end", "tiny/note/secret/.."],
    ["an encoded letter", "tiny/note/%73ecret"],
    ["an encoded step up", "tiny/note/open/%2e%2e/secret"],
    ["a half encoded step up", "tiny/note/open/.%2e/secret"],
    ["a doubly encoded step up", "tiny/note/open/%252e%252e/secret"],
    ["an encoded slash", "tiny/note%2fsecret"],
    ["a slash behind it", "tiny/note/secret/"],
    ["two slashes behind it", "tiny/note/secret//"],
    ["backslashes", "tiny\\note\\secret"],
    ["a NUL behind it", "tiny/note/secret\0"],
    ["a NUL within it", "tiny/note/s\0ecret"],
    ["a line break", "tiny/note/\nsecret"],
    ["a space before it", "tiny/note/ secret"],
    ["a space behind the mount", "tiny /note/secret"],
    ["upper case", "tiny/note/SECRET"],
    ["upper case in the mount", "TINY/note/secret"],
    ["a look-alike letter", "tiny/note/ѕecret"],
    ["full-width letters", "tiny/note/ｓｅｃｒｅｔ"],
    ["a combining mark", "tiny/note/secret\u0301"],
    ["a zero-width joiner", "tiny/note/s\u200decret"],
    ["a soft hyphen", "tiny/note/se\u00adcret"],
    ["a right-to-left override", "tiny/note/\u202eterces"],
    ["a no-break space", "tiny/note/\u00a0secret"],
    ["a line separator", "tiny/note/secret\u2028"],
    ["half a surrogate pair", "tiny/note/secret\ud800"],
    ["a query in the path", "tiny/note/secret?list=true"],
    ["a fragment in the path", "tiny/note/secret#x"],
    ["a matrix parameter", "tiny/note/secret;x=1"],
    ["the API's own prefix", "v1/tiny/note/secret"],
    ["a URL", "http://localhost/v1/tiny/note/secret"],
  ];
  const METHODS: readonly Method[] = ["GET", "LIST", "PUT", "DELETE"];

  test.each(TRICKS)("gets at nothing that is denied: %s", async (_name, path) => {
    for (const method of METHODS) {
      const response = await world.as(token, method, path, { body: { value: "changed" } });
      expect({ method, status: response.status >= 400 || response.status === 204 }).toEqual({
        method,
        status: true,
      });
      expect(JSON.stringify(response.body)).not.toContain("hush");
    }
    expect(dataOf(await world.inner.get("tiny/note/secret"))).toEqual({ note: { value: "hush" } });
  });

  test.each([4097, 100_000, 5_000_000])("is refused with %d characters", async (length) => {
    expect(await world.outcome(token, "GET", `tiny/note/${"a".repeat(length)}`)).toBe("400 path is too long");
  });

  test("of as many segments as there is room for is answered as any other", async () => {
    const path = `tiny/note/${"a/".repeat(2000)}a`;
    expect(await world.outcome(token, "GET", path)).toBe("404 unsupported path");
    expect(await world.outcome(token, "PUT", path, { body: { a: 1 } })).toBe("404 unsupported path");
  });

  test.each([
    ["cubbyhole", `cubbyhole/${"a/".repeat(2000)}a`],
    ["cubbyhole of one name", `cubbyhole/${"ü".repeat(4000)}`],
  ])("that is too long to be stored is refused without a fault: %s", async (_name, path) => {
    const own = await world.token(["default"]);
    expect(await world.outcome(own, "PUT", path, { body: { a: "b" } })).toMatch(/^4\d\d /);
    expect(await world.outcome(own, "GET", path)).toMatch(/^4\d\d/);
    expect(world.logText()).not.toContain("internal error");
  });

  const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

  test.each(NAMES)("may have %s in it, which means nothing else than other names", async (name) => {
    const every = await world.tokenFor({ "*": ["create", "read", "update", "delete", "list"] });
    for (const path of [`${name}/x`, name, `sys/${name}`, `auth/${name}/login`, `identity/${name}`]) {
      expect(await world.outcome(every, "GET", path)).toMatch(/^404/);
      expect(await world.outcome(token, "GET", path)).toBe("403 permission denied");
    }
    const policy = 'path "tiny/note/open" { capabilities = ["read"] }';
    await world.write(`sys/policies/acl/${name}`, { policy });
    const named = await world.token([name], { no_default_policy: true });
    expect(await world.outcome(named, "GET", "tiny/note/open")).toBe("200");
    expect(await world.outcome(named, "GET", "tiny/note/secret")).toBe("403 permission denied");
    await world.inner.send("DELETE", `sys/policies/acl/${name}`);
    expect(await world.outcome(named, "GET", "tiny/note/open")).toBe("403 permission denied");
    const absent = await world.token([name], { no_default_policy: true });
    expect(await world.outcome(absent, "GET", "tiny/note/open")).toBe("403 permission denied");
  });

  test.each(NAMES)("may be given %s as a field, which changes nothing but what is kept", async (name) => {
    const body = JSON.parse(`{"${name}": {"isRoot": true, "polluted": "yes"}, "kept": "yes"}`);
    const own = await world.token(["default"]);
    const refusal = '400 failed to decode JSON input: "__proto__" cannot be a key';
    const isRefused = name === "__proto__";
    const asked = await world.outcome(own, "PUT", "cubbyhole/odd", { body });
    expect(asked).toBe(isRefused ? refusal : "204");
    if (!isRefused)
      expect(dataOf(await world.as(own, "GET", "cubbyhole/odd"))).toMatchObject({ kept: "yes" });
    const renewed = await world.outcome(own, "PUT", "auth/token/renew-self", { body });
    expect(renewed).toBe(isRefused ? refusal : "200");
    await world.inner.put("auth/token/create", { ...body, policies: ["default"] });
    await world.inner.put("auth/token/create", { meta: body });
    expect([({} as Record<string, unknown>).polluted, ({} as Record<string, unknown>).isRoot]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

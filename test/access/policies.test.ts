import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import type { Method } from "../../src/contract/wire.ts";
import VAULT from "../compat/api/core.json" with { type: "json" };
import { dataOf } from "../core/world.ts";
import { AccessWorld } from "./world.ts";

const DENIED = "403 permission denied";
const METHODS: Readonly<Record<string, Method>> = {
  read: "GET",
  list: "LIST",
  update: "PUT",
  delete: "DELETE",
};
/** Everything but sudo. */
const EVERYTHING = ["create", "read", "update", "patch", "delete", "list"] as const;

describe("a policy binds", () => {
  let world: AccessWorld;
  beforeAll(async () => {
    world = await AccessWorld.create();
    await world.write("tiny/note/one", { value: "hush" });
  });
  afterAll(() => world.close());

  /** What a token with only this rule is answered, by method. */
  async function outcomes(rules: Parameters<AccessWorld["tokenFor"]>[0], path: string): Promise<string[]> {
    const token = await world.tokenFor(rules);
    const asked: string[] = [];
    for (const method of ["GET", "LIST", "PUT", "PATCH", "DELETE"] as const) {
      asked.push(`${method} ${await world.outcome(token, method, path, { body: { a: 1 } })}`);
    }
    return asked;
  }

  test("a list to list alone, and a read to read alone", async () => {
    expect(await outcomes({ "tiny/note/*": ["list"], "tiny/note": ["list"] }, "tiny/note")).toEqual([
      `GET ${DENIED}`,
      "LIST 200",
      `PUT ${DENIED}`,
      `PATCH ${DENIED}`,
      `DELETE ${DENIED}`,
    ]);
    expect(await outcomes({ "tiny/note/*": ["read"] }, "tiny/note/one")).toEqual([
      "GET 200",
      `LIST ${DENIED}`,
      `PUT ${DENIED}`,
      `PATCH ${DENIED}`,
      `DELETE ${DENIED}`,
    ]);
  });

  test("a list that comes as a query as much as one that comes as a method", async () => {
    const reader = await world.tokenFor({ "tiny/note*": ["read"] });
    const lister = await world.tokenFor({ "tiny/note*": ["list"] });
    for (const list of ["true", "1", "t", "TRUE", true, 1]) {
      expect(await world.outcome(reader, "GET", "tiny/note", { query: { list } })).toBe(DENIED);
      expect(await world.outcome(lister, "GET", "tiny/note", { query: { list } })).toBe("200");
    }
    for (const list of ["false", "0", ""]) {
      expect(await world.outcome(lister, "GET", "tiny/note/one", { query: { list } })).toBe(DENIED);
    }
    // A list in the body chooses nothing.
    expect(await world.outcome(lister, "GET", "tiny/note/one", { body: { list: true } })).toBe(DENIED);
    expect(await world.outcome(reader, "GET", "tiny/note/one", { body: { list: true } })).toBe("200");
  });

  test("what help is asked about: it shows descriptions, does nothing, and needs a token", async () => {
    const token = await world.tokenFor({ "tiny/key/*": ["deny"] });
    for (const [method, query] of [
      ["HELP", {}],
      ["GET", { help: "1" }],
      ["GET", { help: "true", list: "true" }],
    ] as const) {
      const { status, body } = await world.as(token, method, "tiny/key/one", { query });
      expect(status).toBe(200);
      expect(Object.keys(body as JsonObject)).toEqual(["help", "see_also", "openapi"]);
      expect(await world.outcome("", method, "tiny/key/one", { query })).toBe(DENIED);
      expect(await world.outcome("hvs.nobody", method, "tiny/key/one", { query })).toStartWith("403");
    }
    expect(world.inner.keys.live.size).toBe(0);
    // A write is a write, whatever its query says.
    expect(await world.outcome(token, "PUT", "tiny/note/one", { query: { help: "1" } })).toBe(DENIED);
  });

  test("create and update apart where the path can tell them", async () => {
    const creator = await world.tokenFor({ "cubbyhole/*": ["create"] });
    expect(await world.outcome(creator, "PUT", "cubbyhole/a", { body: { n: 1 } })).toBe("204");
    expect(await world.outcome(creator, "PUT", "cubbyhole/a", { body: { n: 2 } })).toBe(DENIED);
    const updater = await world.tokenFor({ "cubbyhole/*": ["update"] });
    expect(await world.outcome(updater, "PUT", "cubbyhole/a", { body: { n: 1 } })).toBe(DENIED);
    await world.userpass("carol", "a-password");
    const users = await world.tokenFor({ "auth/userpass/users/*": ["create"] });
    const password = { password: "another" };
    expect(await world.outcome(users, "PUT", "auth/userpass/users/dave", { body: password })).toBe("204");
    expect(await world.outcome(users, "PUT", "auth/userpass/users/carol", { body: password })).toBe(DENIED);
    expect((await world.login("carol", "a-password")).token).not.toBe("");
  });

  test("parameters, however their names are spelt and wherever they stand", async () => {
    const rule =
      'path "tiny/note/*" { capabilities = ["read", "update"] denied_parameters = { "admin" = [] "level" = ["high*"] } }';
    const token = await world.tokenFor(rule);
    for (const name of ["admin", "Admin", "ADMIN"]) {
      expect(await world.outcome(token, "PUT", "tiny/note/p", { body: { [name]: 1 } })).toBe(DENIED);
      expect(await world.outcome(token, "GET", "tiny/note/one", { query: { [name]: "1" } })).toBe(DENIED);
      expect(await world.outcome(token, "GET", "tiny/note/one", { body: { [name]: "1" } })).toBe(DENIED);
    }
    expect(await world.outcome(token, "PUT", "tiny/note/p", { body: { level: "higher" } })).toBe(DENIED);
    expect(await world.outcome(token, "PUT", "tiny/note/p", { body: { level: "low" } })).toBe("204");
    const required = await world.tokenFor(
      'path "tiny/note/*" { capabilities = ["update"] required_parameters = ["why", "constructor"] }',
    );
    expect(await world.outcome(required, "PUT", "tiny/note/p", { body: { why: "x" } })).toBe(DENIED);
    const both = { why: "x", constructor: "y" };
    expect(await world.outcome(required, "PUT", "tiny/note/p", { body: both })).toBe("204");
  });

  test("as it reads now: one that was deleted and written anew is not the old one", async () => {
    const token = await world.token(["reborn"], { no_default_policy: true });
    for (let times = 0; times < 3; times += 1) {
      await world.policy("reborn", { "tiny/note/one": ["read"] });
      expect(await world.outcome(token, "GET", "tiny/note/one")).toBe("200");
      await world.inner.send("DELETE", "sys/policies/acl/reborn");
      expect(await world.outcome(token, "GET", "tiny/note/one")).toBe(DENIED);
      await world.policy("reborn", { "tiny/note/one": ["list"] });
      expect(await world.outcome(token, "GET", "tiny/note/one")).toBe(DENIED);
      await world.inner.send("DELETE", "sys/policies/acl/reborn");
    }
  });

  const PROTECTED = VAULT.filter(({ access }) => access === "sudo");

  test("protected paths, which need sudo besides", async () => {
    const token = await world.tokenFor({ "*": EVERYTHING });
    const served: string[] = [];
    for (const { path, operations } of PROTECTED) {
      const filled = path.replace(/\{\w+\}/g, "x");
      for (const operation of operations) {
        const outcome = await world.outcome(token, METHODS[operation] ?? "GET", filled);
        // What is not served has no protection, and does nothing.
        if (!outcome.startsWith("404")) served.push(`${outcome} ${operation} ${path}`);
      }
    }
    expect(served.filter((line) => !line.startsWith(DENIED))).toEqual([]);
    expect(served.length).toBeGreaterThan(20);
  });

  test("and a protected path stays one with a slash behind it", async () => {
    const token = await world.tokenFor({ "*": EVERYTHING });
    for (const path of ["sys/audit", "sys/audit/x", "sys/remount", "auth/token/accessors", "sys/auth/x"]) {
      for (const method of ["GET", "LIST", "PUT", "DELETE"] as const) {
        expect([path, await world.outcome(token, method, `${path}/`)]).toEqual([
          path,
          expect.stringMatching(/^(403 permission denied|404|405)/),
        ]);
      }
    }
  });

  test("whoever may make tokens to what it may do itself", async () => {
    const token = await world.tokenFor({ "auth/token/*": EVERYTHING, "sys/policies/acl/mine": ["update"] });
    const create = (body: JsonObject): Promise<string> =>
      world.outcome(token, "PUT", "auth/token/create", { body });
    for (const name of ["root", "ROOT", " root ", "default,root"]) {
      expect(await create({ policies: [name] })).toMatch(/^400 /);
    }
    expect(await create({ policies: ["somebody-elses"] })).toStartWith("400");
    expect(await create({ no_parent: true })).toMatch(/^400 .*sudo/);
    expect(await create({ period: "1h" })).toMatch(/^400 .*sudo/);
    expect(await create({ id: "chosen" })).toMatch(/^400 .*sudo/);
    expect(await world.outcome(token, "PUT", "auth/token/revoke-orphan", { body: { token } })).toBe(DENIED);
    expect(await world.outcome(token, "LIST", "auth/token/accessors")).toBe(DENIED);
  });

  test("whoever may use a token role to what the role allows, which is never root", async () => {
    await world.write("auth/token/roles/wide", { allowed_policies_glob: ["*"] });
    await world.write("auth/token/roles/rooted", { allowed_policies: ["root"] });
    const token = await world.tokenFor({ "auth/token/create/*": ["update"] });
    for (const role of ["wide", "rooted"]) {
      for (const policies of [["root"], ["ROOT"], [" root"], ["root", "default"]]) {
        const created = await world.outcome(token, "PUT", `auth/token/create/${role}`, {
          body: { policies },
        });
        expect([role, created]).toEqual([role, expect.stringMatching(/^400 /)]);
      }
    }
    expect(await world.outcome(token, "PUT", "auth/token/create/rooted")).toMatch(/^400 root tokens/);
  });

  test("nobody who has no token: every path that needs one refuses none, and a wrong one", async () => {
    const needy = VAULT.filter(({ access }) => access !== "unauthenticated");
    const wrong: string[] = [];
    for (const { path, operations } of needy) {
      const filled = path.replace(/\{\w+\}/g, "x");
      for (const operation of operations) {
        for (const token of ["", "hvs.wrong", "hvb.wrong", "root", "\0", "é".repeat(10_000)]) {
          const outcome = await world.outcome(token, METHODS[operation] ?? "GET", filled);
          const isRefused = outcome === DENIED || /^400 wrapping token is not valid/.test(outcome);
          if (!isRefused) wrong.push(`${outcome} ${operation} ${path} ${JSON.stringify(token.slice(0, 9))}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});

describe("an entity's policies", () => {
  let world: AccessWorld;
  let accessor = "";
  beforeAll(async () => {
    world = await AccessWorld.create();
    await world.policy("notes", { "tiny/note/*": ["read", "update"] });
    await world.policy("no-notes", { "tiny/note/*": ["deny"] });
    await world.policy("no-secret", { "tiny/note/secret": ["deny"] });
    accessor = await world.userpass("alice", "alices-password", { token_policies: "notes" });
    await world.write("auth/userpass/users/mallory", { password: "mallorys", token_policies: "notes" });
    await world.write("tiny/note/one", { a: 1 });
    await world.write("tiny/note/secret", { a: 1 });
  });
  afterAll(() => world.close());

  test("deny what the token's own allow, from the next request on, and for tokens made before", async () => {
    const { token, entityId } = await world.login("alice", "alices-password");
    const child = await world.as(token, "PUT", "auth/token/create", { body: { policies: ["notes"] } });
    expect(child.status).toBe(403);
    expect(await world.outcome(token, "GET", "tiny/note/one")).toBe("200");
    await world.write(`identity/entity/id/${entityId}`, { policies: ["no-secret"] });
    expect(await world.outcome(token, "GET", "tiny/note/one")).toBe("200");
    expect(await world.outcome(token, "GET", "tiny/note/secret")).toBe(DENIED);
    await world.write(`identity/entity/id/${entityId}`, { policies: ["no-notes"] });
    expect(await world.outcome(token, "GET", "tiny/note/one")).toBe(DENIED);
    await world.write(`identity/entity/id/${entityId}`, { policies: [] });
    expect(await world.outcome(token, "GET", "tiny/note/secret")).toBe("200");
  });

  test.each(["root", "Root", " root", "root\n", "ROOT"])("are never %j", async (name) => {
    const { token, entityId } = await world.login("mallory", "mallorys");
    const put = await world.outcome(token, "PUT", `identity/entity/id/${entityId}`, {
      body: { policies: [name] },
    });
    expect(put).toBe(DENIED);
    expect((await world.inner.put(`identity/entity/id/${entityId}`, { policies: [name] })).status).toBe(400);
    expect(await world.outcome(token, "GET", "sys/mounts")).toBe(DENIED);
  });

  test("of a disabled entity are no matter: none of its tokens is taken, nor a new one given", async () => {
    const { token, entityId } = await world.login("alice", "alices-password");
    await world.write(`identity/entity/id/${entityId}`, { disabled: true });
    expect(await world.outcome(token, "GET", "tiny/note/one")).toBe(DENIED);
    expect(await world.outcome(token, "GET", "auth/token/lookup-self")).toBe(DENIED);
    const body = { password: "alices-password" };
    expect(await world.outcome("", "PUT", "auth/userpass/login/alice", { body })).toBe(DENIED);
    await world.write(`identity/entity/id/${entityId}`, { disabled: false });
    expect(await world.outcome(token, "GET", "tiny/note/one")).toBe("200");
    await world.inner.send("DELETE", `identity/entity/id/${entityId}`);
    expect(await world.outcome(token, "GET", "tiny/note/one")).toBe(DENIED);
  });

  test("fill in templates with the caller's own, and with nothing that reads as a wildcard", async () => {
    const rule = (template: string): string => `path "tiny/note/{{${template}}}" { capabilities = ["read"] }`;
    await world.policy(
      "own-note",
      rule(`identity.entity.aliases.${accessor}.name`) + rule("identity.entity.metadata.team"),
    );
    for (const name of ["erin", "frank"]) {
      await world.write(`auth/userpass/users/${name}`, { password: "pass-word", token_policies: "own-note" });
      await world.write(`tiny/note/${name}`, { a: 1 });
    }
    await world.write("tiny/note/blue", { a: 1 });
    const { token, entityId } = await world.login("erin", "pass-word");
    const asked = async (): Promise<string[]> => [
      await world.outcome(token, "GET", "tiny/note/erin"),
      await world.outcome(token, "GET", "tiny/note/frank"),
      await world.outcome(token, "GET", "tiny/note/blue"),
    ];
    expect(await asked()).toEqual(["200", DENIED, DENIED]);
    await world.write(`identity/entity/id/${entityId}`, { metadata: { team: "blue" } });
    expect(await asked()).toEqual(["200", DENIED, "200"]);
    for (const team of ["*", "+", "b*", "", "{{identity.entity.name}}", "../erin", "one/../frank"]) {
      await world.write(`identity/entity/id/${entityId}`, { metadata: { team } });
      expect([team, await asked()]).toEqual([team, ["200", DENIED, DENIED]]);
    }
    // A token without an entity has nothing to fill in.
    const bare = await world.token(["own-note"], { no_default_policy: true });
    expect(await world.outcome(bare, "GET", "tiny/note/erin")).toBe(DENIED);
  });

  test("cannot be had by renaming oneself: an alias belongs to one mount", async () => {
    await world.inner.put("sys/auth/other", { type: "userpass" });
    await world.write("auth/other/users/erin", { password: "not-erins", token_policies: "own-note" });
    const path = "auth/other/login/erin";
    const { body } = await world.as("", "PUT", path, { body: { password: "not-erins" } });
    const { client_token } = (body as unknown as { auth: { client_token: string } }).auth;
    expect(await world.outcome(client_token, "GET", "tiny/note/erin")).toBe(DENIED);
    expect(dataOf(await world.as(client_token, "GET", "auth/token/lookup-self")).policies).toEqual([
      "default",
      "own-note",
    ]);
  });
});

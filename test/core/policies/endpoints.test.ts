import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY, RESPONSE_WRAPPING_POLICY } from "../../../src/core/policies/builtin.ts";
import { policyWorld } from "./world.ts";

const READ = 'path "a/*" { capabilities = ["read"] }';

describe("sys/policies/acl", () => {
  test("writes, reads, lists and deletes", async () => {
    const { ask } = await policyWorld();
    expect(await ask("update", "policies/acl/apps", { policy: READ })).toEqual({});
    expect(await ask("update", "policies/acl/zoo", { policy: READ })).toEqual({});
    expect(await ask("read", "policies/acl/apps")).toEqual({ data: { name: "apps", policy: READ } });
    expect(await ask("list", "policies/acl/")).toEqual({
      data: { keys: ["apps", "default", "zoo", "root"] },
    });
    expect(await ask("delete", "policies/acl/apps")).toEqual({});
    expect(await ask("delete", "policies/acl/apps")).toEqual({});
    expect(await ask("read", "policies/acl/apps")).toEqual({});
    expect(await ask("list", "policies/acl")).toEqual({ data: { keys: ["default", "zoo", "root"] } });
  });

  test("lists more policies than fit one page", async () => {
    const { ask, barrier } = await policyWorld();
    const value = Buffer.from(JSON.stringify({ v: 1, policy: READ }));
    const names = Array.from({ length: 2_100 }, (_, index) => `p${String(index).padStart(4, "0")}`);
    await barrier.commit(names.map((name) => ({ op: "put", key: `policy/${name}`, value })));
    const listed = await ask("list", "policies/acl");
    expect(listed.data?.keys).toEqual(["default", ...names, "root"]);
  });

  test("keeps names in lower case, and says so", async () => {
    const { ask } = await policyWorld();
    expect(await ask("update", "policies/acl/ Apps", { policy: READ })).toEqual({
      warnings: ["policy name was converted to apps"],
    });
    expect(await ask("read", "policies/acl/APPS")).toEqual({ data: { name: "apps", policy: READ } });
    expect(await ask("delete", "policies/acl/aPPs")).toEqual({});
    expect(await ask("read", "policies/acl/apps")).toEqual({});
  });

  test.each(["a/b", "__proto__", "constructor", "a%2fb", "a%b", "é😀", "...", "a b"])(
    "takes %j as a name like any other",
    async (name) => {
      const { ask } = await policyWorld();
      expect(await ask("update", `policies/acl/${name}`, { policy: READ })).toEqual({});
      expect(await ask("read", `policies/acl/${name}`)).toEqual({ data: { name, policy: READ } });
      expect((await ask("list", "policies/acl")).data?.keys).toContain(name);
    },
  );

  test("refuses names that are too long", async () => {
    const { ask } = await policyWorld();
    const error = "a policy's name must have 1 to 256 characters";
    const long = `policies/acl/${"x".repeat(257)}`;
    expect(await ask("update", long, { policy: READ })).toEqual({ status: 400, error });
    expect(await ask("read", long)).toEqual({});
    expect(await ask("delete", long)).toEqual({});
  });

  test("takes a text in base64", async () => {
    const { ask } = await policyWorld();
    await ask("update", "policies/acl/apps", { policy: Buffer.from(READ).toString("base64") });
    expect(await ask("read", "policies/acl/apps")).toEqual({ data: { name: "apps", policy: READ } });
  });

  test("refuses a text that is missing, wrong or too long, and keeps what was there", async () => {
    const { ask } = await policyWorld();
    await ask("update", "policies/acl/apps", { policy: READ });
    expect(await ask("update", "policies/acl/apps", {})).toEqual({
      status: 400,
      error: "'policy' parameter not supplied or empty",
    });
    const slip = 'path "a" {\n  capabilities = ["raed"]\n}';
    expect(await ask("update", "policies/acl/apps", { policy: slip })).toEqual({
      status: 400,
      error: 'failed to parse policy: path "a": invalid capability "raed" on line 2, column 19',
    });
    expect(await ask("update", "policies/acl/apps", { policy: `#${"é".repeat(600_000)}` })).toEqual({
      status: 400,
      error: "failed to parse policy: it is larger than 1048576 bytes",
    });
    expect(await ask("read", "policies/acl/apps")).toEqual({ data: { name: "apps", policy: READ } });
  });

  test("protects what is built in", async () => {
    const { ask } = await policyWorld();
    const refused = (error: string) => ({ status: 400, error });
    expect(await ask("update", "policies/acl/Root", { policy: READ })).toEqual(
      refused('cannot update "root" policy'),
    );
    expect(await ask("delete", "policies/acl/root")).toEqual(refused('cannot delete "root" policy'));
    expect(await ask("read", "policies/acl/root")).toEqual({ data: { name: "root", policy: "" } });
    expect(await ask("delete", "policies/acl/default")).toEqual(refused("cannot delete default policy"));
    expect(await ask("read", "policies/acl/default")).toEqual({
      data: { name: "default", policy: DEFAULT_POLICY },
    });
    expect(await ask("update", "policies/acl/default", { policy: READ })).toEqual({});
    expect(await ask("read", "policies/acl/default")).toEqual({ data: { name: "default", policy: READ } });
    const wrapping = "policies/acl/response-wrapping";
    expect(await ask("update", wrapping, { policy: READ })).toEqual(
      refused('cannot update "response-wrapping" policy'),
    );
    expect(await ask("delete", wrapping)).toEqual(refused('cannot delete "response-wrapping" policy'));
    expect(await ask("read", wrapping)).toEqual({
      data: { name: "response-wrapping", policy: RESPONSE_WRAPPING_POLICY },
    });
  });
});

describe("sys/policy", () => {
  test("is the older form of the same", async () => {
    const { ask } = await policyWorld();
    expect(await ask("update", "policy/apps", { rules: READ })).toEqual({
      warnings: ["'rules' is deprecated, please use 'policy' instead"],
    });
    expect(await ask("update", "policy/new", { policy: READ })).toEqual({});
    expect(await ask("read", "policy/apps")).toEqual({ data: { name: "apps", rules: READ } });
    expect(await ask("read", "policies/acl/new")).toEqual({ data: { name: "new", policy: READ } });
    const keys = ["apps", "default", "new", "root"];
    expect(await ask("read", "policy")).toEqual({ data: { keys, policies: keys } });
    expect(await ask("list", "policy/")).toEqual({ data: { keys, policies: keys } });
    expect(await ask("delete", "policy/apps")).toEqual({});
    expect(await ask("read", "policy/apps")).toEqual({});
    expect(await ask("update", "policy/apps", {})).toEqual({
      status: 400,
      error: "'policy' parameter not supplied or empty",
    });
  });
});

describe("sys/capabilities", () => {
  async function world() {
    const made = await policyWorld();
    await made.ask("update", "policies/acl/apps", { policy: `${READ} path "b" { policy = "write" }` });
    return made;
  }

  test("tells of a token, an accessor's token, and one's own", async () => {
    const { ask, token } = await world();
    const { id, record } = await token(["apps", "unknown"]);
    const data = { "a/x": ["read"], b: ["create", "delete", "list", "read", "update"], c: ["deny"] };
    const paths = ["a/x", "b", "c"];
    expect(await ask("update", "capabilities", { token: id, paths })).toEqual({ data });
    expect(await ask("update", "capabilities-accessor", { accessor: record.accessor, paths })).toEqual({
      data,
    });
    expect(await ask("update", "capabilities-self", { paths: "a/x,b,c" }, ["apps"])).toEqual({ data });
  });

  test("shows a single path's under a name of their own too, and takes the older parameter", async () => {
    const { ask } = await world();
    const read = ["read"];
    expect(await ask("update", "capabilities-self", { path: ["/a/x"] }, ["apps"])).toEqual({
      data: { "/a/x": read, capabilities: read },
    });
    expect(await ask("update", "capabilities-self", { paths: ["z"] })).toEqual({
      data: { z: ["root"], capabilities: ["root"] },
    });
  });

  test("keeps paths called like an object's own workings", async () => {
    const { ask } = await world();
    const { data } = await ask("update", "capabilities-self", { paths: ["__proto__", "constructor"] }, [
      "apps",
    ]);
    expect(JSON.stringify(data)).toBe('{"__proto__":["deny"],"constructor":["deny"]}');
  });

  test("refuses what it cannot tell", async () => {
    const { ask, token, clock, barrier } = await world();
    const paths = ["a"];
    const refused = (status: number, error: string) => ({ status, error });
    expect(await ask("update", "capabilities-self", {})).toEqual(refused(400, "paths must be supplied"));
    expect(await ask("update", "capabilities", { paths })).toEqual(
      refused(500, "1 error occurred:\n\t* no token found\n\n"),
    );
    expect(await ask("update", "capabilities", { token: "hvs.x", paths })).toEqual(
      refused(400, "invalid token"),
    );
    expect(await ask("update", "capabilities-accessor", { paths })).toEqual(refused(400, "missing accessor"));
    for (const accessor of ["x", "../token", "a/b"]) {
      expect(await ask("update", "capabilities-accessor", { accessor, paths })).toEqual(
        refused(400, "invalid accessor"),
      );
    }
    const many = { paths: Array(10_001).fill("a") };
    expect((await ask("update", "capabilities-self", many)).status).toBe(400);
    const { id, record } = await token(["apps"]);
    const key = `token/${barrier.hash("token", id)}`;
    const value = Buffer.from(JSON.stringify({ ...record, expiresAt: clock.now() + 1 }));
    await barrier.commit([{ op: "put", key, value }]);
    clock.advance(1);
    expect(await ask("update", "capabilities", { token: id, paths })).toEqual(refused(400, "invalid token"));
    expect(await ask("update", "capabilities-accessor", { accessor: record.accessor, paths })).toEqual(
      refused(400, "invalid accessor"),
    );
  });
});

describe("sys/internal/ui/resultant-acl", () => {
  test("shows the merged rules of the caller's policies", async () => {
    const { ask } = await policyWorld();
    await ask("update", "policies/acl/apps", { policy: READ });
    await ask("update", "policies/acl/more", {
      policy: 'path "a/*" { capabilities = ["list"] } path "b" {}',
    });
    expect(await ask("read", "internal/ui/resultant-acl", {}, ["apps", "more"])).toEqual({
      data: {
        root: false,
        exact_paths: { b: { capabilities: ["deny"] } },
        glob_paths: { "a/": { capabilities: ["list", "read"] } },
      },
    });
    expect(await ask("read", "internal/ui/resultant-acl")).toEqual({
      data: { root: true, exact_paths: {}, glob_paths: {} },
    });
  });
});

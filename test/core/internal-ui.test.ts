import { beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import { reachesMount } from "../../src/core/policies/reach.ts";
import { CoreWorld, dataOf, errorOf } from "./world.ts";

test.each([
  ["secret/data/app", "secret/", true],
  ["secret/data/app", "sec/", false],
  ["secret/*", "secret/", true],
  ["secret*", "secret/", true],
  ["sec*", "secret/", true],
  ["*", "secret/", true],
  ["secret", "secret/", true],
  ["secrets/*", "secret/", false],
  ["team", "team/kv/", false],
  ["team/*", "team/kv/", true],
  ["team/k*", "team/kv/", true],
  ["team/x*", "team/kv/", false],
  ["te*", "team/kv/", true],
  ["+/data/app", "secret/", true],
  ["+/kv/data/*", "team/kv/", true],
  ["+/other/*", "team/kv/", false],
  ["team/+", "team/kv/", true],
  ["+/+", "team/kv/deep/", false],
] as const)("the pattern %s and the mount %s: %p", (pattern, mount, reaches) => {
  expect(reachesMount(pattern, mount)).toBe(reaches);
});

describe("what a caller may know of the mounts", () => {
  let world: CoreWorld;

  beforeEach(async () => {
    world = await CoreWorld.create();
    await world.put("sys/mounts/team/kv", { type: "kv-v2", description: "ours" });
    await world.put("sys/policies/acl/reader", {
      policy: 'path "team/kv/data/app" { capabilities = ["read"] }',
    });
    await world.put("sys/policies/acl/denied", { policy: 'path "team/kv/*" { capabilities = ["deny"] }' });
  });

  async function tokenWith(policy: string): Promise<string> {
    const { body } = await world.put("auth/token/create", { policies: [policy], no_default_policy: true });
    return (body as { auth: { client_token: string } }).auth.client_token;
  }

  const refusal = (path: string) => ({
    status: 403,
    text: `preflight capability check returned 403, please ensure client's policies grant access to path "${path}/"`,
  });
  const ask = (path: string, token: string) =>
    world.core.handle({ method: "GET", path: `sys/internal/ui/mounts/${path}`, token });

  test("a path's mount is shown with its version to whoever may use anything below it", async () => {
    const token = await tokenWith("reader");
    for (const path of ["team/kv", "team/kv/app", "team/kv/what/ever"]) {
      expect(dataOf(await ask(path, token))).toMatchObject({
        path: "team/kv/",
        type: "kv",
        description: "ours",
        options: { version: "2" },
      });
    }
    expect(dataOf(await world.get("sys/internal/ui/mounts/team/kv/x"))).toMatchObject({ path: "team/kv/" });
  });

  test("a mount that must not be known looks like one that is not there", async () => {
    const answers = [
      await ask("tiny/x", await tokenWith("reader")),
      await ask("team/kv/x", await tokenWith("denied")),
      await ask("team/kv/x", "hvs.nobody"),
      await ask("team/kv/x", ""),
      await world.get("sys/internal/ui/mounts/nope/x"),
    ];
    expect(answers.map((answer) => ({ status: answer.status, text: errorOf(answer) }))).toEqual(
      ["tiny/x", "team/kv/x", "team/kv/x", "team/kv/x", "nope/x"].map(refusal),
    );
  });

  test("the list holds what the caller may use; without a token only what is shown to all, and little of it", async () => {
    const list = async (token: string): Promise<JsonObject> =>
      dataOf(await world.core.handle({ method: "GET", path: "sys/internal/ui/mounts", token }));
    expect(await list("")).toEqual({ auth: {}, secret: {} });
    expect(Object.keys((await list(await tokenWith("reader"))).secret as JsonObject)).toEqual(["team/kv/"]);
    await world.put("sys/mounts/tiny/tune", { listing_visibility: "unauth", description: "for all" });
    await world.put("sys/auth/approle", { type: "approle", config: { listing_visibility: "unauth" } });
    expect(await list("")).toEqual({
      auth: { "approle/": { description: "", options: null, type: "approle" } },
      secret: { "tiny/": { description: "for all", options: null, type: "tiny" } },
    });
  });

  test("asking does not use up a token", async () => {
    const { body } = await world.put("auth/token/create", { policies: ["reader"], num_uses: 1 });
    const token = (body as { auth: { client_token: string } }).auth.client_token;
    expect((await ask("team/kv/app", token)).status).toBe(200);
    expect((await ask("team/kv/app", token)).status).toBe(200);
    const read = await world.core.handle({ method: "GET", path: "team/kv/data/app", token });
    expect(read.status).toBe(404);
  });
});

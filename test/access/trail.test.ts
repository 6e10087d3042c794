import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { isJsonObject, type Json, type JsonObject } from "../../src/base/json.ts";
import type { ApiResponse, Method } from "../../src/contract/wire.ts";
import { dataOf } from "../core/world.ts";
import { AccessWorld } from "./world.ts";

/** Values of an answer that let whoever reads them in. */
const SECRET_KEYS: readonly string[] = ["client_token", "token", "secret_id", "key", "password", "id"];

function secretsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(secretsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    typeof item === "string" && SECRET_KEYS.includes(name) && item.length > 8
      ? [item]
      : secretsIn(item ?? null),
  );
}

describe("what is written down", () => {
  let world: AccessWorld;
  let file = "";
  beforeEach(async () => {
    world = await AccessWorld.create();
    file = await world.audit();
  });
  afterEach(() => world.close());

  /** A request's two records. */
  function pairOf(response: ApiResponse): readonly JsonObject[] {
    const { request_id } = response.body as unknown as { request_id: string };
    return world.auditRecords().filter(({ request }) => isJsonObject(request) && request.id === request_id);
  }

  test("holds none of the secrets that were sent or answered; nor do logs, errors and store", async () => {
    const shown: Json[] = [];
    const sent = ["given-password-1", "given-password-2", "given-note-text", "wrong-password"];
    const ask = async (
      method: Method,
      path: string,
      body: JsonObject = {},
      token?: string,
    ): Promise<Json> => {
      const rest = token === undefined ? { body } : { body, token };
      const response = await world.inner.send(method, path, rest);
      shown.push(response.body);
      return response.body;
    };
    await ask("PUT", "sys/auth/userpass", { type: "userpass" });
    await ask("PUT", "sys/auth/approle", { type: "approle" });
    await ask("PUT", "auth/userpass/users/bob", { password: "given-password-1" });
    await ask("PUT", "auth/userpass/users/bob/password", { password: "given-password-2" });
    await ask("PUT", "auth/userpass/login/bob", { password: "wrong-password" });
    const login = (await ask("PUT", "auth/userpass/login/bob", {
      password: "given-password-2",
    })) as JsonObject;
    const { client_token } = login.auth as unknown as { client_token: string };
    await ask("GET", "auth/token/lookup-self", {}, client_token);
    await ask("PUT", "auth/token/lookup", { token: client_token });
    await ask("PUT", "sys/capabilities", { token: client_token, paths: "x" });
    await ask("PUT", "cubbyhole/mine", { note: "given-note-text" }, client_token);
    await ask("GET", "cubbyhole/mine", {}, client_token);
    await ask("PUT", "auth/approle/role/ci", {});
    await ask("PUT", "auth/approle/role/ci/secret-id", {});
    const { secret_id = "" } = dataOf({ status: 200, body: shown.at(-1) ?? null });
    await ask("PUT", "auth/approle/role/ci/secret-id/lookup", { secret_id });
    await ask("PUT", "auth/approle/login", { role_id: "wrong", secret_id });
    await ask("GET", "tiny/key/one");
    await ask("PUT", "tiny/fail", { password: "given-password-1" });
    const { token: wrapping } = await world.wrap();
    sent.push(wrapping);
    await ask("PUT", "sys/wrapping/lookup", { token: wrapping });
    await ask("PUT", "sys/wrapping/unwrap", { token: wrapping });
    await ask("PUT", "sys/wrapping/unwrap", { token: wrapping });
    await ask("PUT", "auth/token/revoke", { token: client_token });
    await ask("PUT", "auth/token/lookup", { token: client_token });
    const secrets = [...new Set([...sent, ...shown.flatMap(secretsIn)])];
    expect(secrets.length).toBeGreaterThanOrEqual(9);
    const [audited, logged] = [world.auditText(), world.logText()];
    expect(secrets.filter((secret) => audited.includes(secret))).toEqual([]);
    expect(secrets.filter((secret) => logged.includes(secret))).toEqual([]);
    const errors = shown.filter((body) => isJsonObject(body) && body.errors !== undefined);
    expect(errors.length).toBeGreaterThan(3);
    expect(secrets.filter((secret) => JSON.stringify(errors).includes(secret))).toEqual([]);
    // What was issued is in the store for its revocation; what lets somebody in is not.
    const passwordsAndTokens = [
      client_token,
      wrapping,
      String(secret_id),
      ...sent.filter((it) => it.startsWith("given-password")),
    ];
    const store = await world.plainStore();
    expect(passwordsAndTokens.filter((secret) => store.includes(secret))).toEqual([]);
  });

  test("names who it was, where, and what allowed it, and its hashes are those of audit-hash", async () => {
    await world.policy("notes", { "tiny/note/*": ["update"] });
    await world.userpass("carol", "carols-password", { token_policies: "notes" });
    const { token, entityId } = await world.login("carol", "carols-password");
    const response = await world.as(token, "PUT", "sys/capabilities-self", {
      body: { paths: ["tiny/note/x"] },
      remoteAddress: "192.0.2.7",
    });
    const [request, answer] = pairOf(response);
    const hash = async (input: string): Promise<unknown> =>
      dataOf(await world.inner.put("sys/audit-hash/file", { input })).hash;
    const auth = {
      client_token: await hash(token),
      display_name: "userpass-carol",
      entity_id: entityId,
      policies: ["default", "notes"],
      token_type: "service",
      policy_results: { allowed: true, granting_policies: [expect.objectContaining({ name: "default" })] },
    };
    expect(request).toMatchObject({
      type: "request",
      auth,
      request: {
        operation: "update",
        path: "sys/capabilities-self",
        remote_address: "192.0.2.7",
        data: { paths: [await hash("tiny/note/x")] },
      },
    });
    expect(answer).toMatchObject({ type: "response", auth });
  });

  test("also tells what was refused: unknown tokens, denials, used and forged wrapping tokens", async () => {
    const token = await world.token(["default"]);
    const { token: wrapping } = await world.wrap();
    await world.as(wrapping, "PUT", "sys/wrapping/unwrap");
    const before = world.auditRecords().length;
    const refused: readonly (readonly [string, Method, string])[] = [
      ["", "GET", "tiny/note/one"],
      ["hvs.unknown", "GET", "tiny/note/one"],
      [token, "GET", "tiny/note/one"],
      [wrapping, "PUT", "sys/wrapping/unwrap"],
      ["hvs.forged", "PUT", "sys/wrapping/unwrap"],
    ];
    for (const [as, method, path] of refused) await world.as(as, method, path);
    const records = world.auditRecords().slice(before);
    const shown = records.map(({ error, request }) => [
      isJsonObject(request) ? request.path : "",
      typeof error === "string" && error !== "",
    ]);
    expect(shown).toEqual(refused.map(([, , path]) => [path, true]));
  });

  /** Makes the device fail: nobody can open a folder for writing. */
  function breakDevice(): void {
    rmSync(file);
    mkdirSync(file);
    chmodSync(file, 0o500);
  }

  test("has to be written first: a request that cannot be has no effect", async () => {
    await world.userpass("dave", "daves-password");
    const token = await world.token(["default"]);
    const victim = await world.token(["default"]);
    const { token: wrapping } = await world.wrap();
    breakDevice();
    const before = await world.plainStore();
    const attempts: readonly (readonly [Method, string, JsonObject])[] = [
      ["GET", "tiny/key/one", {}],
      ["PUT", "tiny/note/one", { a: 1 }],
      ["PUT", "auth/token/create", {}],
      ["PUT", "auth/token/revoke", { token: victim }],
      ["PUT", "auth/userpass/login/dave", { password: "daves-password" }],
      ["PUT", "sys/wrapping/unwrap", { token: wrapping }],
      ["PUT", "sys/policies/acl/new", { policy: 'path "x" { capabilities = ["read"] }' }],
      ["PUT", "sys/mounts/more", { type: "tiny" }],
      ["DELETE", "sys/mounts/tiny", {}],
      ["DELETE", "sys/audit/file", {}],
      ["PUT", "sys/audit/other", { type: "file", options: { file_path: "discard" } }],
      ["LIST", "sys/policies/acl", {}],
    ];
    for (const [method, path, body] of attempts) {
      const response = await world.inner.send(method, path, { body });
      expect([path, response.status, JSON.stringify(response.body)]).toEqual([
        path,
        500,
        expect.not.stringContaining("client_token"),
      ]);
    }
    expect(await world.plainStore()).toBe(before);
    expect([...world.inner.keys.live].filter((key) => key.startsWith("one-"))).toEqual([]);
    rmSync(file, { recursive: true });
    expect(await world.outcome(victim, "GET", "auth/token/lookup-self")).toBe("200");
    expect(await world.outcome(token, "PUT", "sys/wrapping/unwrap", { body: { token: wrapping } })).toBe(
      "200",
    );
  });

  test.each([0, 60])(
    "has to hold the answer too: a credential that nobody was shown is revoked (wrapped for %d s)",
    async (wrapTtlSeconds) => {
      world.inner.keys.duringCreate = async () => breakDevice();
      const { status, body } = await world.inner.send("GET", "tiny/key/unseen", { wrapTtlSeconds });
      expect([status, JSON.stringify(body)]).toEqual([500, expect.not.stringContaining("unseen-")]);
      expect(world.inner.keys.revoked.length).toBe(1);
      expect([...world.inner.keys.live]).toEqual([]);
    },
  );

  test("does not cost its holder a lease whose renewal could not be written down", async () => {
    const { id } = await world.inner.issue("tiny/key/renewed", { ttl: "1h" });
    const engine = world.inner.barrier;
    const commit = engine.commit.bind(engine);
    engine.commit = async (writes) => {
      const versions = await commit(writes);
      if (writes.some(({ key }) => key.startsWith("lease/"))) breakDevice();
      return versions;
    };
    const { status } = await world.inner.put("sys/leases/renew", { lease_id: id, increment: "2h" });
    engine.commit = commit;
    expect([status, (await world.inner.record(id))?.state]).toEqual([500, "active"]);
    expect(world.inner.keys.live.size).toBe(1);
  });

  test("goes on in a new file when the old one was moved away or deleted", async () => {
    await world.inner.get("sys/mounts");
    expect(world.auditRecords().length).toBeGreaterThan(0);
    rmSync(file);
    const response = await world.inner.get("sys/mounts");
    expect(pairOf(response).map(({ type }) => type)).toEqual(["request", "response"]);
  });
});

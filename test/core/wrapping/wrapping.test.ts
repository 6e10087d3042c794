import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { cubbyholeBackend } from "../../../src/core/cubbyhole/backend.ts";
import { spendUse } from "../../../src/core/tokens/authenticate.ts";
import { revokeTokenTree } from "../../../src/core/tokens/revoke.ts";
import { wrappingPaths } from "../../../src/core/wrapping/paths.ts";
import { checkWrappingToken } from "../../../src/core/wrapping/unwrap.ts";
import { wrapAnswer } from "../../../src/core/wrapping/wrap.ts";
import { type AccessWorld, accessWorld, ask, bytesOf, callerOf, newCaller, refusalOf } from "./world.ts";

const BODY: JsonObject = {
  request_id: "2b1c0a3e-5f7d-4c1e-9b0a-2f6f3c0d1e2a",
  lease_id: "database/creds/readonly/abc",
  renewable: true,
  lease_duration: 60,
  data: { username: "u", password: "hunter2", deep: { list: [1, "two", null] } },
  wrap_info: null,
  warnings: ["careful"],
  auth: null,
  mount_type: "database",
};
const INVALID = { status: 400, text: "wrapping token is not valid or does not exist" };
const CREATED_AT = "2023-11-14T22:13:20.000Z";

async function world() {
  const access = await accessWorld();
  const paths = wrappingPaths(access.services);
  const caller = await newCaller(access.services);
  return { ...access, paths, caller };
}

async function wrapped({ services }: AccessWorld, ttlSeconds = 60, wrappedAccessor?: string) {
  const envelope = await wrapAnswer(services, {
    body: BODY,
    ttlSeconds,
    path: "database/creds/readonly",
    ...(wrappedAccessor === undefined ? {} : { wrappedAccessor }),
  });
  const info = envelope.wrap_info as { readonly token: string; readonly accessor: string };
  return { envelope, ...info };
}

describe("a wrapped answer", () => {
  test("names the token that gives it out, and tells nothing else", async () => {
    const { envelope, token, accessor } = await wrapped(await world());
    expect(token).toMatch(/^hvs\.[0-9A-Za-z]{24}$/);
    expect(envelope).toEqual({
      request_id: "",
      lease_id: "",
      renewable: false,
      lease_duration: 0,
      data: null,
      wrap_info: {
        token,
        accessor,
        ttl: 60,
        creation_time: CREATED_AT,
        creation_path: "database/creds/readonly",
      },
      warnings: null,
      auth: null,
      mount_type: "",
    });
  });

  test("names the accessor of what it holds, when there is one", async () => {
    const { envelope } = await wrapped(await world(), 60, "abc");
    expect(envelope.wrap_info).toMatchObject({ wrapped_accessor: "abc" });
  });

  test("its token can do one thing, once, for as long as was asked", async () => {
    const access = await world();
    const { token } = await wrapped(access, 90);
    const { record, batch } = await callerOf(access.services, token);
    expect({ ...record, batch }).toMatchObject({
      type: "service",
      batch: false,
      policies: ["response-wrapping"],
      numUses: 1,
      ttlSeconds: 90,
      explicitMaxTtlSeconds: 90,
      renewable: false,
      parentHash: null,
      path: "database/creds/readonly",
      noDefaultPolicy: true,
    });
  });

  test("is stored nowhere in clear, nor is its token", async () => {
    const access = await world();
    const { token, accessor } = await wrapped(access, 60, "wrapped-accessor");
    const stored = await bytesOf(access.storage);
    expect(stored.length).toBeGreaterThan(1000);
    const clear = [token, accessor, "wrapped-accessor", "hunter2", "password", "readonly", "cubbyhole"];
    expect(clear.filter((text) => stored.includes(text))).toEqual([]);
  });

  test("lies in the token's cubbyhole, as one text", async () => {
    const { services, ...access } = await world();
    const { token } = await wrapped({ services, ...access });
    const caller = await callerOf(services, token);
    const reply = await ask(cubbyholeBackend(services).paths, {
      operation: "read",
      path: "response",
      caller,
    });
    expect(reply?.data).toEqual({ response: JSON.stringify(BODY) });
    expect(reply?.warnings).toEqual([expect.stringContaining("sys/wrapping/unwrap")]);
  });
});

describe("sys/wrapping/unwrap", () => {
  test("gives the answer back as it was, to another caller", async () => {
    const access = await world();
    const { token } = await wrapped(access);
    const { paths, caller } = access;
    const reply = await ask(paths, { path: "wrapping/unwrap", data: { token }, caller });
    expect(reply).toEqual({ bare: BODY });
  });

  test("gives it to the wrapping token itself, whose use is spent with the request", async () => {
    const access = await world();
    const { services, paths } = access;
    const caller = await callerOf(services, (await wrapped(access)).token);
    expect(await spendUse(services, caller)).toEqual({ last: true });
    expect(await ask(paths, { path: "wrapping/unwrap", caller })).toEqual({ bare: BODY });
  });

  test("takes the caller's own token as a parameter, too", async () => {
    const access = await world();
    const { services, paths } = access;
    const caller = await callerOf(services, (await wrapped(access)).token);
    await spendUse(services, caller);
    const data = { token: caller.token };
    expect(await ask(paths, { path: "wrapping/unwrap", data, caller })).toEqual({ bare: BODY });
  });

  test("keeps data that nest as deep as a request may", async () => {
    const { services, paths, caller } = await world();
    let data: JsonObject = { leaf: "x" };
    for (let depth = 0; depth < 63; depth += 1) data = { deeper: data };
    const envelope = await wrapAnswer(services, { body: { ...BODY, data }, ttlSeconds: 60, path: "p" });
    const { token } = envelope.wrap_info as { token: string };
    const reply = await ask(paths, { path: "wrapping/unwrap", data: { token }, caller });
    expect(reply?.bare).toEqual({ ...BODY, data });
  });

  test("uses the token up, and leaves nothing of it", async () => {
    const access = await world();
    const { services, paths, caller } = access;
    const { token, accessor } = await wrapped(access);
    const unwrap = () => ask(paths, { path: "wrapping/unwrap", data: { token }, caller });
    await unwrap();
    expect(await refusalOf(unwrap())).toEqual(INVALID);
    expect((await services.barrier.scan("cubbyhole/", { limit: 10 })).entries).toEqual([]);
    expect(await services.barrier.get(`token-accessor/${accessor}`)).toBeNull();
  });

  test("of many at once, in two processes, exactly one gets it", async () => {
    const access = await world();
    const { caller, paths } = access;
    const others = wrappingPaths(await access.another());
    for (let round = 0; round < 5; round += 1) {
      const { token } = await wrapped(access);
      const asked = Array.from({ length: 8 }, (_, n) =>
        ask(n % 2 === 0 ? paths : others, { path: "wrapping/unwrap", data: { token }, caller }),
      );
      const settled = await Promise.allSettled(asked);
      const won = settled.filter((outcome) => outcome.status === "fulfilled");
      expect(won.map(({ value }) => value)).toEqual([{ bare: BODY }]);
      const lost = await Promise.all(asked.map(refusalOf));
      expect(lost.filter(({ status }) => status !== 200)).toEqual(Array(7).fill(INVALID));
    }
  });

  test("says so when the caller's own token is no wrapping token", async () => {
    const { paths, caller } = await world();
    expect(await refusalOf(ask(paths, { path: "wrapping/unwrap", caller }))).toEqual({
      status: 500,
      text: "1 error occurred:\n\t* token is not a valid unwrap token\n\n",
    });
  });
});

describe("sys/wrapping/rewrap", () => {
  test("moves the answer to a new token with the same TTL and path, and ends the old one", async () => {
    const access = await world();
    const { paths, caller, clock } = access;
    const old = await wrapped(access, 60, "wrapped-accessor");
    clock.advance(50_000);
    const reply = await ask(paths, { path: "wrapping/rewrap", data: { token: old.token }, caller });
    const { wrap_info: info, ...rest } = (reply?.bare ?? {}) as JsonObject & { wrap_info: JsonObject };
    expect(rest).toMatchObject({ request_id: "", data: null, auth: null });
    expect(info).toEqual({
      token: expect.stringMatching(/^hvs\./),
      accessor: expect.any(String),
      ttl: 60,
      creation_time: "2023-11-14T22:14:10.000Z",
      creation_path: "database/creds/readonly",
      wrapped_accessor: "wrapped-accessor",
    });
    expect(info.token).not.toBe(old.token);
    const unwrap = (token: string) => ask(paths, { path: "wrapping/unwrap", data: { token }, caller });
    expect(await refusalOf(unwrap(old.token))).toEqual(INVALID);
    clock.advance(50_000);
    expect(await unwrap(String(info.token))).toEqual({ bare: BODY });
  });
});

describe("sys/wrapping/lookup", () => {
  const DATA = {
    creation_ttl: 60,
    creation_time: CREATED_AT,
    creation_path: "database/creds/readonly",
  };

  test("tells what is known, without a caller and without using the token up", async () => {
    const access = await world();
    const { paths, caller } = access;
    const { token } = await wrapped(access, 60, "hidden");
    const lookup = () => ask(paths, { path: "wrapping/lookup", data: { token } });
    expect(await lookup()).toEqual({ data: DATA });
    expect(await lookup()).toEqual({ data: DATA });
    expect(await ask(paths, { path: "wrapping/unwrap", data: { token }, caller })).toEqual({ bare: BODY });
  });

  test("can be read with the wrapping token as the caller's", async () => {
    const access = await world();
    const caller = await callerOf(access.services, (await wrapped(access)).token);
    const reply = await ask(access.paths, { operation: "read", path: "wrapping/lookup", caller });
    expect(reply).toEqual({ data: DATA });
  });

  test("needs a token", async () => {
    const { paths } = await world();
    expect(await refusalOf(ask(paths, { path: "wrapping/lookup" }))).toEqual({
      status: 400,
      text: 'missing "token" value in input',
    });
  });
});

describe("a wrapping token that is none", () => {
  const BAD: Readonly<Record<string, (access: Awaited<ReturnType<typeof world>>) => Promise<string>>> = {
    forged: async () => "hvs.AAAAAAAAAAAAAAAAAAAAAAAA",
    empty: async () => " ",
    "too long": async () => "x".repeat(100_000),
    expired: async (access) => {
      const { token } = await wrapped(access, 60);
      access.clock.advance(60_000);
      return token;
    },
    revoked: async (access) => {
      const { token } = await wrapped(access);
      await revokeTokenTree(access.services, (await callerOf(access.services, token)).tokenHash);
      return token;
    },
    used: async (access) => {
      const { token } = await wrapped(access);
      await spendUse(access.services, await callerOf(access.services, token));
      return token;
    },
    "of another policy": async ({ services }) => (await newCaller(services, { numUses: 1 })).token,
    "of one policy more": async ({ services }) =>
      (await newCaller(services, { policies: ["default", "response-wrapping"] })).token,
    "of one policy more behind": async ({ services }) =>
      (await newCaller(services, { policies: ["response-wrapping", "sudoer"] })).token,
    "a root token": async ({ services }) => (await newCaller(services, { policies: ["root"] })).token,
    "a batch token": async ({ services }) =>
      (await newCaller(services, { type: "batch", policies: ["response-wrapping"] })).token,
    "without an answer": async ({ services }) =>
      (await newCaller(services, { policies: ["response-wrapping"], numUses: 1 })).token,
  };

  test.each(Object.keys(BAD))("%s: is refused by all of unwrap, rewrap and lookup", async (kind) => {
    for (const path of ["wrapping/unwrap", "wrapping/rewrap", "wrapping/lookup"]) {
      const access = await world();
      const token = (await BAD[kind]?.(access)) ?? "";
      const asked = ask(access.paths, { path, data: { token }, caller: access.caller });
      expect(await refusalOf(asked)).toEqual(INVALID);
    }
  });

  test.each(Object.keys(BAD).filter((kind) => kind !== "without an answer"))(
    "%s: is refused before the request counts as authenticated, wherever it is given",
    async (kind) => {
      for (const path of ["sys/wrapping/unwrap", "sys/wrapping/rewrap", "sys/wrapping/lookup"]) {
        const access = await world();
        const token = (await BAD[kind]?.(access)) ?? "";
        const { services, caller } = access;
        const asParameter = checkWrappingToken(services, { path, data: { token }, token: caller.token });
        expect(await refusalOf(asParameter)).toEqual(INVALID);
        expect(await refusalOf(checkWrappingToken(services, { path, data: {}, token }))).toEqual(INVALID);
      }
    },
  );

  test("a good one passes that check, and so does every other request", async () => {
    const access = await world();
    const { services } = access;
    const { token } = await wrapped(access);
    for (const path of ["sys/wrapping/unwrap", "sys/wrapping/rewrap", "sys/wrapping/lookup"]) {
      await checkWrappingToken(services, { path, data: { token }, token: "" });
      await checkWrappingToken(services, { path, data: {}, token });
    }
    await checkWrappingToken(services, { path: "sys/wrapping/wrap", data: { token: "x" }, token: "" });
    await checkWrappingToken(services, { path: "database/creds/x", data: {}, token: "forged" });
    await checkWrappingToken(services, { path: "sys/wrapping/lookup", data: {}, token: "" });
    expect(
      await refusalOf(checkWrappingToken(services, { path: "sys/wrapping/unwrap", data: {}, token: "" })),
    ).toEqual(INVALID);
  });
});

describe("sys/wrapping/wrap", () => {
  test("hands the data on to be wrapped", async () => {
    const { paths, caller } = await world();
    const data = { a: "b", deep: { list: [1] } };
    const reply = await ask(paths, { path: "wrapping/wrap", data, caller, wrapTtlSeconds: 60 });
    expect(reply).toEqual({ data });
  });

  test("is refused when the request does not ask for wrapping", async () => {
    const { paths, caller } = await world();
    expect(await refusalOf(ask(paths, { path: "wrapping/wrap", data: { a: "b" }, caller }))).toEqual({
      status: 400,
      text: "endpoint requires response wrapping to be used",
    });
  });
});

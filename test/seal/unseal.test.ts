import { describe, expect, test } from "bun:test";
import { STORES, temporaryWorlds } from "./world.ts";

const newWorld = temporaryWorlds();

const SEALED = [503, "Vault is sealed"] as const;

describe.each([...STORES])("over %s storage", (kind) => {
  test("a store of shares is sealed after init, opened by enough of them, and sealed again", async () => {
    const world = newWorld(kind);
    const { keys, rootToken } = await world.init(5, 3);
    expect(keys.map((key) => key.length)).toEqual([66, 66, 66, 66, 66]);
    expect(await world.status()).toMatchObject({
      type: "shamir",
      initialized: true,
      sealed: true,
      t: 3,
      n: 5,
      progress: 0,
      nonce: "",
    });
    expect(await world.instance.core()).toBeNull();
    expect(await world.refusal("GET", "sys/mounts", undefined, rootToken)).toEqual([...SEALED]);

    const first = await world.unseal(keys.slice(1, 2));
    expect(first).toMatchObject({
      sealed: true,
      progress: 1,
      nonce: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const second = await world.unseal(keys.slice(3, 4));
    expect(second).toMatchObject({ sealed: true, progress: 2, nonce: first.nonce });
    expect(await world.unseal(keys.slice(4))).toMatchObject({
      sealed: false,
      progress: 0,
      nonce: "",
      t: 3,
      n: 5,
    });
    expect((await world.send("GET", "sys/mounts", undefined, rootToken)).status).toBe(200);

    const core = await world.instance.core();
    expect(await world.send("PUT", "sys/seal", {}, rootToken)).toEqual({ status: 204, body: null });
    expect(core).not.toBeNull();
    expect(await world.instance.core()).toBeNull();
    expect(await world.refusal("GET", "sys/mounts", undefined, rootToken)).toEqual([...SEALED]);
    expect(await world.unseal(keys.slice(0, 3))).toMatchObject({ sealed: false });
    expect((await world.send("GET", "auth/token/lookup-self", undefined, rootToken)).status).toBe(200);
  });

  test("shares are kept by the process and not by the store", async () => {
    const world = newWorld(kind);
    const { keys } = await world.init(3, 2);
    await world.unseal(keys.slice(0, 1));
    world.restart();
    expect(await world.status()).toMatchObject({ progress: 0, nonce: "" });
    expect(await world.unseal(keys.slice(1))).toMatchObject({ sealed: false });
  });
});

describe("unsealing", () => {
  test("takes shares in hex and in base64", async () => {
    const world = newWorld();
    const { keys } = await world.init(2, 2);
    const [a = "", b = ""] = keys;
    const base64 = Buffer.from(b, "hex").toString("base64");
    expect(await world.unseal([a.toUpperCase(), base64])).toMatchObject({ sealed: false });
  });

  test("counts the same share once", async () => {
    const world = newWorld();
    const [a = ""] = (await world.init(3, 2)).keys;
    expect(await world.unseal([a, a, Buffer.from(a, "hex").toString("base64")])).toMatchObject({
      sealed: true,
      progress: 1,
    });
  });

  test("begins anew after a wrong set of shares, under another nonce", async () => {
    const [world, other] = [newWorld(), newWorld()];
    const { keys } = await world.init(3, 2);
    const foreign = (await other.init(3, 2)).keys.find(
      (key) => !keys.some((k) => k.slice(64) === key.slice(64)),
    );
    const first = await world.unseal(keys.slice(0, 1));
    const [status, text] = await world.refusal("PUT", "sys/unseal", { key: foreign ?? "" });
    expect(status).toBe(400);
    expect(text).toStartWith("invalid key: failed to decrypt keys from storage: ");
    expect(await world.status()).toMatchObject({ sealed: true, progress: 0, nonce: "" });
    const again = await world.unseal(keys.slice(0, 1));
    expect(again.progress).toBe(1);
    expect(again.nonce).not.toBe(first.nonce);
    expect(await world.unseal(keys.slice(1, 2))).toMatchObject({ sealed: false });
  });

  test("says when two parts cannot be of one key, and begins anew", async () => {
    const world = newWorld();
    const [a = ""] = (await world.init(3, 2)).keys;
    await world.unseal([a]);
    const twin = `00${a.slice(2)}`;
    expect(await world.refusal("PUT", "sys/unseal", { key: twin === a ? `01${a.slice(2)}` : twin })).toEqual([
      400,
      "invalid key: failed to compute combined key: duplicate part detected",
    ]);
    expect(await world.status()).toMatchObject({ progress: 0 });
  });

  test.each([
    [{}, "'key' must be specified in request body as JSON, or 'reset' set to true"],
    [{ key: "zz" }, "'key' must be a valid hex or base64 string"],
    [{ key: "not a key!" }, "'key' must be a valid hex or base64 string"],
    [{ key: "ab".repeat(15) }, "invalid key: key is shorter than minimum 16 bytes"],
    [{ key: "ab".repeat(34) }, "invalid key: key is longer than maximum 33 bytes"],
    [
      { key: "ab".repeat(33), migrate: true },
      "'migrate' is not supported: rekey the unsealed store to change its seal",
    ],
  ])("refuses %j and keeps its progress", async (body, text) => {
    const world = newWorld();
    const { keys } = await world.init(3, 2);
    await world.unseal(keys.slice(0, 1));
    expect(await world.refusal("PUT", "sys/unseal", body)).toEqual([400, text]);
    expect(await world.status()).toMatchObject({ progress: 1 });
  });

  test("forgets its progress when told to, and has none to forget once it is done", async () => {
    const world = newWorld();
    const { keys } = await world.init(3, 2);
    await world.unseal(keys.slice(0, 1));
    expect(await world.ok("PUT", "sys/unseal", { reset: true })).toMatchObject({ progress: 0, nonce: "" });
    await world.unseal(keys.slice(1));
    expect(await world.refusal("PUT", "sys/unseal", { reset: true })).toEqual([400, "vault is unsealed"]);
    // A key for an open store is an answer and no error.
    expect(await world.unseal(keys.slice(0, 1))).toMatchObject({ sealed: false, progress: 0 });
  });

  test("is refused before init, and so is what needs an open store", async () => {
    const world = newWorld();
    for (const body of [{ key: "ab".repeat(33) }, { reset: true }]) {
      expect(await world.refusal("PUT", "sys/unseal", body)).toEqual([400, "Vault is not initialized"]);
    }
    expect(await world.status()).toMatchObject({ initialized: false, sealed: true, t: 0, n: 0 });
  });

  test("answers shares that come at the same time one after another, and opens one core", async () => {
    const world = newWorld();
    const { keys } = await world.init(4, 3);
    const statuses = await Promise.all(keys.map((key) => world.ok("PUT", "sys/unseal", { key })));
    expect(statuses.at(-1)).toMatchObject({ sealed: false });
    const cores = await Promise.all([world.instance.core(), world.instance.core()]);
    expect(cores[0]).toBe(cores[1]);
  });

  test("fails without harm when the store does, and goes through afterwards", async () => {
    const world = newWorld();
    const { keys } = await world.init(2, 2);
    for (let nth = 1; ; nth += 1) {
      let [count, fired] = [0, false];
      world.fault = () => {
        count += 1;
        fired ||= count === nth;
        return count === nth ? "before" : null;
      };
      await Promise.allSettled(keys.map((key) => world.send("PUT", "sys/unseal", { key })));
      world.fault = () => null;
      await world.unseal(keys);
      expect(await world.status()).toMatchObject({ sealed: false });
      await world.instance.seal();
      if (!fired) break;
      expect(nth).toBeLessThan(30);
    }
  });
});

describe("one share", () => {
  test("is the whole key, and opens by itself", async () => {
    const world = newWorld();
    const { keys } = await world.init(1, 1);
    expect(keys.map((key) => key.length)).toEqual([64]);
    expect(await world.unseal(keys)).toMatchObject({ sealed: false, t: 1, n: 1 });
  });
});

describe("init", () => {
  test.each([
    [{ secret_shares: 0, secret_threshold: 1 }, "invalid seal configuration: shares must be at least one"],
    [{ secret_shares: 3 }, "invalid seal configuration: threshold must be at least one"],
    [
      { secret_shares: 3, secret_threshold: 1 },
      "invalid seal configuration: threshold must be greater than one for multiple shares",
    ],
    [{ secret_shares: 256, secret_threshold: 3 }, "invalid seal configuration: shares must be less than 256"],
    [
      { secret_shares: 2, secret_threshold: 3 },
      "invalid seal configuration: threshold cannot be larger than shares",
    ],
    [
      { secret_shares: 1, secret_threshold: 1, recovery_shares: 5, recovery_threshold: 3 },
      "parameters recovery_shares,recovery_threshold not applicable to seal type shamir",
    ],
    [
      { seal: { type: "key-file" }, secret_shares: 3, secret_threshold: 2 },
      "parameters secret_shares,secret_threshold not applicable to seal type key-file, which has one key",
    ],
    [
      { secret_shares: 1, secret_threshold: 1, pgp_keys: ["a"] },
      "pgp_keys is not supported: keys and tokens are not encrypted with PGP here; leave it out",
    ],
    [
      { root_token_pgp_key: "a" },
      "root_token_pgp_key is not supported: keys and tokens are not encrypted with PGP here; leave it out",
    ],
  ])("refuses %j", async (body, text) => {
    const world = newWorld();
    expect(await world.refusal("PUT", "sys/init", body)).toEqual([400, text]);
    expect(await world.ok("GET", "sys/init")).toEqual({ initialized: false });
  });

  test("is refused a second time", async () => {
    const world = newWorld();
    await world.init(1, 1);
    const body = { secret_shares: 1, secret_threshold: 1 };
    expect(await world.refusal("PUT", "sys/init", body)).toEqual([400, "Vault is already initialized"]);
  });

  test("splits as Vault's command line does where only the seal is named", async () => {
    const world = newWorld();
    const made = await world.ok("PUT", "sys/init", { seal: { type: "shamir" } });
    expect(made.keys).toHaveLength(5);
    expect(await world.status()).toMatchObject({ t: 3, n: 5 });
  });

  test("without shares it makes a store that opens by itself, and stays so after a restart", async () => {
    const world = newWorld();
    expect(await world.ok("PUT", "sys/init", {})).toMatchObject({ keys: [], seal: { type: "key-file" } });
    world.restart();
    expect(await world.status()).toMatchObject({ type: "key-file", sealed: false, t: 1, n: 1 });
  });
});

describe("a process that ends with its request", () => {
  test("says that a daemon keeps a store of shares open, and takes none", async () => {
    const world = newWorld();
    const { keys, rootToken } = await world.init(3, 2);
    world.restart({ isOneShot: true });
    const [status, text] = await world.refusal("GET", "sys/mounts", undefined, rootToken);
    expect([status, text]).toEqual([
      503,
      expect.stringMatching(/^Vault is sealed: .*daemon.*operator unseal/),
    ]);
    const [code, refusal] = await world.refusal("PUT", "sys/unseal", { key: keys[0] ?? "" });
    expect([code, refusal]).toEqual([400, expect.stringContaining("kept by a daemon")]);
    expect(await world.status()).toMatchObject({ sealed: true, progress: 0 });
  });
});

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../src/base/json.ts";
import { type Fault, STORES, type StoreWorld, temporaryWorlds } from "./world.ts";

const newWorld = temporaryWorlds();

/** An unsealed store of shares. */
async function unsealed(world: StoreWorld, shares = 3, threshold = 2): Promise<string[]> {
  const { keys } = await world.init(shares, threshold);
  await world.unseal(keys.slice(0, threshold));
  return keys;
}

async function start(world: StoreWorld, body: JsonObject = {}): Promise<string> {
  const status = await world.ok("PUT", "sys/rekey/init", { secret_shares: 4, secret_threshold: 3, ...body });
  return String(status.nonce);
}

/** Gives the present keys. @returns The last answer. */
async function give(world: StoreWorld, nonce: string, keys: readonly string[]): Promise<JsonObject> {
  let answer: JsonObject = {};
  for (const key of keys) answer = await world.ok("PUT", "sys/rekey/update", { key, nonce });
  return answer;
}

/** Whether these keys open the store in a new process. */
async function opens(world: StoreWorld, keys: readonly string[]): Promise<boolean> {
  world.restart();
  for (const key of keys) await world.send("PUT", "sys/unseal", { key });
  return (await world.status()).sealed === false;
}

describe.each([...STORES])("a rekey over %s storage", (kind) => {
  test("replaces the shares: the new ones open the store, the old ones do not", async () => {
    const world = newWorld(kind);
    const old = await unsealed(world);
    const started = await world.ok("PUT", "sys/rekey/init", { secret_shares: 4, secret_threshold: 3 });
    expect(started).toEqual({
      nonce: expect.stringMatching(/^[0-9a-f-]{36}$/),
      started: true,
      t: 3,
      n: 4,
      progress: 0,
      required: 2,
      pgp_fingerprints: null,
      backup: false,
      verification_required: false,
    });
    const nonce = String(started.nonce);
    expect(await give(world, nonce, old.slice(0, 1))).toEqual({ ...started, progress: 1 });
    const done = await give(world, nonce, old.slice(2));
    expect(done).toMatchObject({ nonce, complete: true, verification_required: false, backup: false });
    const fresh = done.keys as string[];
    expect(done.keys_base64).toEqual(fresh.map((key) => Buffer.from(key, "hex").toString("base64")));
    expect(await world.ok("GET", "sys/rekey/init")).toMatchObject({ started: false, nonce: "", t: 0, n: 0 });
    expect(await opens(world, fresh.slice(1))).toBe(true);
    expect(await world.status()).toMatchObject({ n: 4, t: 3 });
    expect(await opens(world, old)).toBe(false);
  });

  test("with verification changes nothing until the new shares were given back", async () => {
    const world = newWorld(kind);
    const old = await unsealed(world);
    const nonce = await start(world, { require_verification: true });
    const done = await give(world, nonce, old.slice(0, 2));
    const fresh = done.keys as string[];
    const verification = String(done.verification_nonce);
    expect(done).toMatchObject({ complete: true, verification_required: true });
    expect(await world.ok("GET", "sys/rekey/init")).toMatchObject({ verification_nonce: verification });
    expect(await world.ok("GET", "sys/rekey/verify")).toEqual({
      nonce: verification,
      started: true,
      t: 3,
      n: 4,
      progress: 0,
    });
    for (const key of fresh.slice(0, 2)) {
      await world.ok("PUT", "sys/rekey/verify", { key, nonce: verification });
    }
    expect(await world.ok("GET", "sys/rekey/verify")).toMatchObject({ progress: 2 });
    expect(await world.ok("PUT", "sys/rekey/verify", { key: fresh[3] ?? "", nonce: verification })).toEqual({
      nonce: verification,
      complete: true,
    });
    expect(await opens(world, fresh.slice(0, 3))).toBe(true);
    expect(await opens(world, old)).toBe(false);
  });

  test("that ends with the process before its verification leaves the old shares valid", async () => {
    const world = newWorld(kind);
    const old = await unsealed(world);
    const done = await give(world, await start(world, { require_verification: true }), old.slice(0, 2));
    expect(await opens(world, done.keys as string[])).toBe(false);
    expect(await opens(world, old)).toBe(true);
  });
});

describe("the answer with the new shares", () => {
  test("is given again to the same key, as it may have been lost on its way, but not for long", async () => {
    let now = 1_700_000_000_000;
    const world = newWorld();
    const clock = { now: () => now, sleep: async () => undefined };
    const { keys } = await world.init(3, 2);
    world.restart({ clock });
    await world.unseal(keys.slice(0, 2));
    const nonce = await start(world);
    const done = await give(world, nonce, keys.slice(0, 2));
    expect(await give(world, nonce, keys.slice(1, 2))).toEqual(done);
    const refused = [400, "no barrier rekey in progress"] as [number, string];
    for (const [key = "", of] of [
      [keys[0], nonce],
      [keys[2], nonce],
      [keys[1], "other"],
      [keys[1], ""],
    ] as const) {
      expect(await world.refusal("PUT", "sys/rekey/update", { key, nonce: of })).toEqual(refused);
    }
    now += 10 * 60 * 1000;
    expect(await world.refusal("PUT", "sys/rekey/update", { key: keys[1] ?? "", nonce })).toEqual(refused);
    expect(await opens(world, (done.keys as string[]).slice(1))).toBe(true);
  });

  test("is not kept beyond a cancellation or the next start", async () => {
    const world = newWorld();
    const keys = await unsealed(world);
    const nonce = await start(world);
    const fresh = (await give(world, nonce, keys.slice(0, 2))).keys as string[];
    await world.ok("DELETE", "sys/rekey/init");
    const [, text] = await world.refusal("PUT", "sys/rekey/update", { key: keys[1] ?? "", nonce });
    expect(text).toBe("no barrier rekey in progress");
    expect(await opens(world, fresh.slice(0, 3))).toBe(true);
  });
});

describe("what a rekey refuses", () => {
  test.each([
    [
      { secret_shares: 0, secret_threshold: 1 },
      "invalid rekey seal configuration: shares must be at least one",
    ],
    [
      { secret_shares: 2, secret_threshold: 3 },
      "invalid rekey seal configuration: threshold cannot be larger than shares",
    ],
    [
      { secret_shares: 1, secret_threshold: 1, backup: true },
      "cannot request a backup of the new keys without providing PGP keys for encryption",
    ],
    [
      { secret_shares: 1, secret_threshold: 1, pgp_keys: "k" },
      "pgp_keys is not supported: keys and tokens are not encrypted with PGP here; leave it out",
    ],
  ])("a start with %j", async (body, text) => {
    const world = newWorld();
    await unsealed(world);
    expect(await world.refusal("PUT", "sys/rekey/init", body)).toEqual([400, text]);
  });

  test("a second one, keys without one, and keys for another", async () => {
    const world = newWorld();
    const [key = ""] = await unsealed(world);
    expect(await world.refusal("PUT", "sys/rekey/update", { key, nonce: "x" })).toEqual([
      400,
      "no barrier rekey in progress",
    ]);
    for (const method of ["GET", "PUT", "DELETE"] as const) {
      const body = method === "PUT" ? { key, nonce: "x" } : undefined;
      expect(await world.refusal(method, "sys/rekey/verify", body)).toEqual([
        400,
        "no barrier rekey in progress",
      ]);
    }
    const nonce = await start(world);
    expect(await world.refusal("PUT", "sys/rekey/init", { secret_shares: 1, secret_threshold: 1 })).toEqual([
      400,
      "rekey already in progress",
    ]);
    for (const wrong of ["", "other"]) {
      expect(await world.refusal("PUT", "sys/rekey/update", { key, nonce: wrong })).toEqual([
        400,
        `incorrect nonce supplied; nonce for this rekey operation is "${nonce}"`,
      ]);
    }
    const texts: [string, string][] = [
      ["", "'key' must be specified in request body as JSON"],
      ["zz", "'key' must be a valid hex or base64 string"],
      ["ab".repeat(15), "key is shorter than minimum 16 bytes"],
      ["ab".repeat(34), "key is longer than maximum 33 bytes"],
    ];
    for (const [bad, text] of texts) {
      expect(await world.refusal("PUT", "sys/rekey/update", { key: bad, nonce })).toEqual([400, text]);
    }
    await give(world, nonce, [key]);
    expect(await world.refusal("PUT", "sys/rekey/update", { key, nonce })).toEqual([
      400,
      "given key has already been provided during this generation operation",
    ]);
    expect(await world.refusal("GET", "sys/rekey/verify")).toEqual([
      400,
      "no rekey verification in progress",
    ]);
  });

  test("keys that are not the store's, after which the right ones go through", async () => {
    const world = newWorld();
    const keys = await unsealed(world);
    const nonce = await start(world);
    await give(world, nonce, keys.slice(0, 1));
    const [status, text] = await world.refusal("PUT", "sys/rekey/update", { key: "ab".repeat(33), nonce });
    expect([status, text]).toEqual([400, expect.stringMatching(/^failed to decrypt keys from storage: /)]);
    expect(await world.ok("GET", "sys/rekey/init")).toMatchObject({ started: true, progress: 0 });
    expect(await give(world, nonce, keys.slice(1))).toMatchObject({ complete: true });
  });

  test("a verification with the wrong shares, the same share twice, or another nonce", async () => {
    const world = newWorld();
    const old = await unsealed(world);
    const nonce = await start(world, { secret_shares: 2, secret_threshold: 2, require_verification: true });
    const done = await give(world, nonce, old.slice(0, 2));
    const [a = "", b = ""] = done.keys as string[];
    const first = String(done.verification_nonce);
    expect(await world.refusal("PUT", "sys/rekey/update", { key: a, nonce })).toEqual([
      400,
      `the new keys wait for their verification; nonce for the verification operation is "${first}"`,
    ]);
    expect(await world.refusal("PUT", "sys/rekey/verify", { key: a, nonce })).toEqual([
      400,
      `incorrect nonce supplied; nonce for this verify operation is "${first}"`,
    ]);
    await world.ok("PUT", "sys/rekey/verify", { key: a, nonce: first });
    expect(await world.refusal("PUT", "sys/rekey/verify", { key: a, nonce: first })).toEqual([
      400,
      "given key has already been provided during this verify operation",
    ]);
    const [status, text] = await world.refusal("PUT", "sys/rekey/verify", {
      key: "ab".repeat(33),
      nonce: first,
    });
    expect([status, text]).toEqual([400, expect.stringMatching(/^rekey verification failed/)]);
    const restarted = await world.ok("DELETE", "sys/rekey/verify");
    expect(restarted).toMatchObject({ started: true, progress: 0 });
    const again = String(restarted.nonce);
    expect(again).not.toBe(first);
    for (const key of [b, a]) await world.ok("PUT", "sys/rekey/verify", { key, nonce: again });
    expect(await opens(world, [a, b])).toBe(true);
  });

  test("everything while the store is sealed, and the operation does not outlive the sealing", async () => {
    const world = newWorld();
    const { keys, rootToken } = await world.init(3, 2);
    expect(await world.refusal("GET", "sys/rekey/init")).toEqual([503, "Vault is sealed"]);
    await world.unseal(keys);
    await start(world);
    await world.ok("PUT", "sys/seal", {}, rootToken);
    await world.unseal(keys);
    expect(await world.ok("GET", "sys/rekey/init")).toMatchObject({ started: false });
  });

  test("recovery keys, backups and processes that end with their request", async () => {
    const world = newWorld();
    const { keys, rootToken } = await world.init(1, 1);
    await world.unseal(keys);
    for (const path of ["init", "update", "verify"]) {
      const [status, text] = await world.refusal("PUT", `sys/rekey-recovery-key/${path}`, {});
      expect([status, text]).toEqual([400, expect.stringMatching(/^recovery rekeying not supported/)]);
    }
    expect(await world.refusal("GET", "sys/rekey/backup", undefined, rootToken)).toEqual([
      400,
      "no backed-up keys found",
    ]);
    expect((await world.send("DELETE", "sys/rekey/backup", undefined, rootToken)).status).toBe(204);
    expect((await world.send("DELETE", "sys/rekey/backup")).status).toBe(403);
    const other = newWorld();
    await other.ok("PUT", "sys/init", {});
    other.restart({ isOneShot: true });
    const [, text] = await other.refusal("PUT", "sys/rekey/init", { secret_shares: 1, secret_threshold: 1 });
    expect(text).toContain("start `vsec daemon`");
  });

  test("to go on after it was cancelled", async () => {
    const world = newWorld();
    const keys = await unsealed(world);
    const nonce = await start(world);
    await give(world, nonce, keys.slice(0, 1));
    expect(await world.send("DELETE", "sys/rekey/init")).toEqual({ status: 204, body: null });
    expect(await world.refusal("PUT", "sys/rekey/update", { key: keys[1] ?? "", nonce })).toEqual([
      400,
      "no barrier rekey in progress",
    ]);
    expect(await opens(world, keys)).toBe(true);
  });

  test("to overwrite the seal that another process has changed meanwhile", async () => {
    const world = newWorld();
    const keys = await unsealed(world);
    const slow = await start(world, { require_verification: true });
    const done = await give(world, slow, keys.slice(0, 2));
    const mine = world.instance;
    world.restart();
    await world.unseal(keys.slice(0, 2));
    const theirs = await give(world, await start(world), keys.slice(0, 2));
    const verify = (key: string) =>
      mine.handle({
        method: "PUT",
        path: "sys/rekey/verify",
        body: { key, nonce: done.verification_nonce ?? "" },
      });
    const [a = "", b = "", c = ""] = done.keys as string[];
    await verify(a);
    await verify(b);
    expect(await verify(c)).toMatchObject({
      status: 400,
      body: { errors: [expect.stringContaining("was changed meanwhile, and stays as it is")] },
    });
    expect(await opens(world, [a, b, c])).toBe(false);
    expect(await opens(world, theirs.keys as string[])).toBe(true);
  });
});

/** Fails the n-th operation, as the disk does: with its effect or without, once or for good. */
function failNth(
  nth: number,
  when: "before" | "after",
  forGood: boolean,
): { fault: Fault; fired(): boolean } {
  let count = 0;
  return {
    fault: () => {
      count += 1;
      return count === nth || (forGood && count > nth) ? when : null;
    },
    fired: () => count >= nth,
  };
}

describe.each([...STORES])("whatever operation of %s storage fails during a rekey", (kind) => {
  test.each([
    ["before", false],
    ["before", true],
    ["after", false],
    ["after", true],
  ] as const)(
    "%s its effect (for good: %p), somebody has shares that open the store",
    async (when, forGood) => {
      for (let nth = 1; ; nth += 1) {
        const world = newWorld(kind);
        const old = await unsealed(world);
        const nonce = await start(world);
        const failing = failNth(nth, when, forGood);
        world.fault = failing.fault;
        const answers = [];
        for (const key of old.slice(0, 2)) {
          answers.push(await world.send("PUT", "sys/rekey/update", { key, nonce }).catch(() => null));
        }
        world.fault = () => null;
        // What was shown, if anything was, and what the holders had before.
        const shown = answers
          .map((answer) => answer?.body)
          .find((body) => (body as JsonObject | null)?.complete);
        const fresh = ((shown as JsonObject | undefined)?.keys ?? []) as string[];
        const [byOld, byNew] = [await opens(world, old), await opens(world, fresh)];
        expect([byOld, byNew].filter((does) => does)).toEqual([true]);
        // Without a warning the new shares are good.
        if (shown !== undefined && (shown as JsonObject).warnings === undefined) expect(byNew).toBe(true);
        if (!failing.fired()) break;
        expect(nth).toBeLessThan(40);
      }
    },
  );
});

describe("a store with one key", () => {
  const PASSPHRASE = "correct horse battery staple";
  const SEAL_KEY = Buffer.alloc(32, 7).toString("base64");
  const ENV = { VSEC_PASSPHRASE: PASSPHRASE, VSEC_SEAL_KEY: SEAL_KEY };
  const keyFileOf = (world: StoreWorld): string => {
    const keys = join(world.seals.directories.config, "keys");
    return join(keys, readdirSync(keys)[0] ?? "none");
  };

  test.each([
    ["key-file", (world: StoreWorld) => readFileSync(keyFileOf(world), "utf8")],
    ["keychain", (world: StoreWorld) => [...world.seals.keychain.items.values()][0] ?? ""],
    ["env", () => SEAL_KEY],
    ["passphrase", () => PASSPHRASE],
  ] as const)("of %s comes to be sealed by shares, with that key", async (type, keyOf) => {
    const world = newWorld("memory", ENV);
    const { root_token: token } = await world.ok("PUT", "sys/init", { seal: { type } });
    const key = keyOf(world);
    const nonce = await start(world);
    expect(await world.ok("GET", "sys/rekey/init")).toMatchObject({ required: 1 });
    const [status, text] = await world.refusal("PUT", "sys/rekey/update", {
      key: Buffer.alloc(32, 9).toString("base64"),
      nonce,
    });
    expect([status, text]).toEqual([400, expect.stringMatching(/^invalid key: /)]);
    expect(text).not.toContain(Buffer.alloc(32, 9).toString("base64"));
    const done = await give(world, nonce, [key]);
    world.restart();
    expect(await world.status()).toMatchObject({ type: "shamir", sealed: true, n: 4, t: 3 });
    // What held the key before is gone.
    expect([...world.seals.keychain.items.keys()]).toEqual([]);
    if (type === "key-file") expect(existsSync(keyFileOf(world))).toBe(false);
    await world.unseal((done.keys as string[]).slice(0, 3));
    const answer = await world.send("GET", "auth/token/lookup-self", undefined, String(token));
    expect(answer.status).toBe(200);
  });
});

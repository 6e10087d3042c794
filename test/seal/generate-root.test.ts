import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { decodeWithOtp, encodeWithOtp, newOtp } from "../../src/base/root-otp.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { STORES, type StoreWorld, temporaryWorlds } from "./world.ts";

const newWorld = temporaryWorlds();

const ATTEMPT = "sys/generate-root/attempt";
const UPDATE = "sys/generate-root/update";
const OTP = "0123456789abcdefghijABCDEFGH";

async function unsealed(world: StoreWorld): Promise<string[]> {
  const { keys } = await world.init(3, 2);
  await world.unseal(keys.slice(0, 2));
  return keys;
}

/** The policies of a token. */
async function policiesOf(world: StoreWorld, token: string): Promise<unknown> {
  const body = await world.ok("GET", "auth/token/lookup-self", undefined, token);
  return (body.data as { policies?: unknown }).policies;
}

describe.each([...STORES])("over %s storage", (kind) => {
  test("enough holders of shares make a root token that only the one-time password shows", async () => {
    const world = newWorld(kind);
    const keys = await unsealed(world);
    const started = await world.ok("PUT", ATTEMPT, {});
    expect(started).toEqual({
      nonce: expect.stringMatching(/^[0-9a-f-]{36}$/),
      started: true,
      progress: 0,
      required: 2,
      complete: false,
      encoded_token: "",
      encoded_root_token: "",
      pgp_fingerprint: "",
      otp: expect.stringMatching(/^[0-9A-Za-z]{28}$/),
      otp_length: 28,
    });
    const nonce = started.nonce ?? "";
    const otp = String(started.otp);
    expect(await world.ok("GET", "sys/generate-root")).toEqual({ ...started, otp: "" });
    expect(await world.ok("PUT", UPDATE, { key: keys[0] ?? "", nonce })).toMatchObject({ progress: 1 });
    const done = await world.ok("PUT", UPDATE, { key: keys[2] ?? "", nonce });
    expect(done).toMatchObject({ complete: true, progress: 2, required: 2, otp: "", nonce });
    expect(done.encoded_token).toBe(done.encoded_root_token ?? null);
    expect(String(done.encoded_token)).toMatch(/^[A-Za-z0-9+/]{38}$/);
    const decoded = await world.ok("PUT", "sys/decode-token", {
      encoded_token: done.encoded_token ?? "",
      otp,
    });
    const { token } = decoded.data as { token: string };
    expect(decoded.token).toBe(token);
    expect(await policiesOf(world, token)).toEqual(["root"]);
    expect(await world.ok("GET", ATTEMPT)).toMatchObject({ started: false, nonce: "", progress: 0 });
  });
});

describe("what the generation of a root token refuses", () => {
  test("one-time passwords of another length, and PGP keys", async () => {
    const world = newWorld();
    await unsealed(world);
    for (const otp of ["short", `${OTP}x`]) {
      expect(await world.refusal("PUT", ATTEMPT, { otp })).toEqual([400, "OTP string has incorrect length"]);
    }
    expect(await world.refusal("PUT", ATTEMPT, { pgp_key: "k" })).toEqual([
      400,
      "pgp_key is not supported: keys and tokens are not encrypted with PGP here; leave it out",
    ]);
    expect(await world.ok("PUT", ATTEMPT, { otp: OTP })).toMatchObject({ started: true, otp: "" });
  });

  test("a second one, keys without one, for another, twice, or of no store", async () => {
    const world = newWorld();
    const [key = "", other = ""] = await unsealed(world);
    expect(await world.refusal("PUT", UPDATE, { key, nonce: "" })).toEqual([
      400,
      "no root generation in progress",
    ]);
    const nonce = String((await world.ok("PUT", ATTEMPT, { otp: OTP })).nonce);
    expect(await world.refusal("PUT", ATTEMPT, {})).toEqual([400, "root generation already in progress"]);
    expect(await world.refusal("PUT", UPDATE, { key, nonce: "x" })).toEqual([
      400,
      `incorrect nonce supplied; nonce for this root generation operation is "${nonce}"`,
    ]);
    const texts: [string, string][] = [
      ["", "'key' must be specified in request body as JSON"],
      ["zz", "'key' must be a valid hex or base64 string"],
      ["ab".repeat(15), "key is shorter than minimum 16 bytes"],
      ["ab".repeat(34), "key is longer than maximum 33 bytes"],
    ];
    for (const [bad, text] of texts) {
      expect(await world.refusal("PUT", UPDATE, { key: bad, nonce })).toEqual([400, text]);
    }
    await world.ok("PUT", UPDATE, { key, nonce });
    expect(await world.refusal("PUT", UPDATE, { key, nonce })).toEqual([
      400,
      "given key has already been provided during this generation operation",
    ]);
    // A share's last byte is its number: this one is nobody's yet.
    const stranger = "ab".repeat(32) + (key.endsWith("01") ? "02" : "01");
    const [status, text] = await world.refusal("PUT", UPDATE, { key: stranger, nonce });
    expect([status, text]).toEqual([400, expect.stringMatching(/^failed to decrypt keys from storage: /)]);
    expect(await world.ok("GET", ATTEMPT)).toMatchObject({ started: true, progress: 0 });
    for (const good of [key, other]) await world.ok("PUT", UPDATE, { key: good, nonce });
    expect(await world.ok("GET", ATTEMPT)).toMatchObject({ started: false });
  });

  test("to go on after it was cancelled, after a sealing, and while sealed", async () => {
    const world = newWorld();
    const { keys, rootToken } = await world.init(3, 2);
    expect(await world.refusal("PUT", ATTEMPT, {})).toEqual([503, "Vault is sealed"]);
    await world.unseal(keys);
    const nonce = String((await world.ok("PUT", ATTEMPT, {})).nonce);
    expect(await world.send("DELETE", ATTEMPT)).toEqual({ status: 204, body: null });
    expect(await world.refusal("PUT", UPDATE, { key: keys[0] ?? "", nonce })).toEqual([
      400,
      "no root generation in progress",
    ]);
    await world.ok("PUT", ATTEMPT, {});
    await world.ok("PUT", "sys/seal", {}, rootToken);
    await world.unseal(keys);
    expect(await world.ok("GET", ATTEMPT)).toMatchObject({ started: false });
  });

  test.each([
    [{}, "missing encoded token"],
    [{ encoded_token: "AAAA" }, "missing otp"],
    [{ encoded_token: "!", otp: OTP }, "the encoded token is not base64"],
    [{ encoded_token: "AAAA", otp: OTP }, "the OTP is not as long as the encoded token"],
  ])("to decode %j", async (body, text) => {
    const world = newWorld();
    await unsealed(world);
    expect(await world.refusal("PUT", "sys/decode-token", body)).toEqual([400, text]);
  });
});

test("a failing store makes no token that anybody sees, and the holders can try again", async () => {
  const world = newWorld();
  const keys = await unsealed(world);
  const nonce = String((await world.ok("PUT", ATTEMPT, { otp: OTP })).nonce);
  await world.ok("PUT", UPDATE, { key: keys[0] ?? "", nonce });
  world.fault = (operation) => (operation === "commit" ? "before" : null);
  const failed = await world.send("PUT", UPDATE, { key: keys[1] ?? "", nonce });
  expect(failed.status).toBe(500);
  world.fault = () => null;
  for (const key of keys.slice(0, 2)) await world.send("PUT", UPDATE, { key, nonce });
  expect(await world.ok("GET", ATTEMPT)).toMatchObject({ started: false });
});

describe("the holder of a key that is not split", () => {
  const PASSPHRASE = "correct horse battery staple";
  const ONCE = "sys/generate-root/once";

  test("needs nothing more in the process that opened the store with it", async () => {
    const world = newWorld();
    await world.ok("PUT", "sys/init", {});
    world.restart({ isOneShot: true });
    const { root_token: token } = await world.ok("PUT", ONCE, {});
    expect(await policiesOf(world, String(token))).toEqual(["root"]);
    const [, text] = await world.refusal("PUT", ATTEMPT, {});
    expect(text).toContain("start `vsec daemon`");
  });

  test("has to give it to a daemon, which others reach too", async () => {
    const world = newWorld("memory", { VSEC_PASSPHRASE: PASSPHRASE });
    await world.ok("PUT", "sys/init", {});
    expect(await world.refusal("PUT", ONCE, {})).toEqual([
      400,
      "'key' must be specified in request body as JSON",
    ]);
    const [status, text] = await world.refusal("PUT", ONCE, { key: Buffer.alloc(32).toString("base64") });
    expect([status, text]).toEqual([
      400,
      expect.stringMatching(/^invalid key: what was given does not hold/),
    ]);
    const keys = join(world.seals.directories.config, "keys");
    const line = readFileSync(join(keys, readdirSync(keys)[0] ?? ""), "utf8");
    const { root_token: token } = await world.ok("PUT", ONCE, { key: line.trim().split(" ").at(-1) ?? "" });
    expect(await policiesOf(world, String(token))).toEqual(["root"]);
    // The same by Vault's own paths.
    const nonce = String((await world.ok("PUT", ATTEMPT, { otp: OTP })).nonce);
    const done = await world.ok("PUT", UPDATE, { key: line, nonce });
    expect(await policiesOf(world, decodeWithOtp(String(done.encoded_token), OTP))).toEqual(["root"]);
  });

  test("may hold a passphrase, or the one share of a Shamir seal", async () => {
    const world = newWorld("memory", { VSEC_PASSPHRASE: PASSPHRASE });
    await world.ok("PUT", "sys/init", { seal: { type: "passphrase" } });
    const [status, text] = await world.refusal("PUT", ONCE, { key: "another passphrase" });
    expect([status, text]).toEqual([
      400,
      expect.stringMatching(/^invalid key: the passphrase is not that of store/),
    ]);
    expect(text).not.toContain("another passphrase");
    expect(await world.ok("PUT", ONCE, { key: PASSPHRASE })).toHaveProperty("root_token");
    const shares = newWorld();
    const { keys } = await shares.init(1, 1);
    await shares.unseal(keys);
    expect(await shares.refusal("PUT", ONCE, {})).toEqual([
      400,
      "'key' must be specified in request body as JSON",
    ]);
    expect(await shares.ok("PUT", ONCE, { key: keys[0] ?? "" })).toHaveProperty("root_token");
  });

  test("is nobody where the key is split", async () => {
    const world = newWorld();
    const [key = ""] = await unsealed(world);
    const [status, text] = await world.refusal("PUT", ONCE, { key });
    expect([status, text]).toEqual([400, expect.stringContaining("2 of its 3 shares are needed")]);
  });
});

describe("a one-time password", () => {
  test("gives back the token that was encoded with it, and no other one does", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9A-Za-z]{24}$/), (chars) => {
        const [token, otp] = [`hvs.${chars}`, newOtp(systemRandom)];
        const encoded = encodeWithOtp(token, Buffer.from(otp));
        expect(encoded).not.toContain("=");
        expect(decodeWithOtp(encoded, otp)).toBe(token);
        expect(decodeWithOtp(`${encoded}==`, otp)).toBe(token);
        expect(decodeWithOtp(encoded, newOtp(systemRandom))).not.toBe(token);
      }),
    );
  });

  test("encodes as Vault does: base64 without padding of the XOR", () => {
    const encoded = encodeWithOtp("hvs.AAAAAAAAAAAAAAAAAAAAAAAA", Buffer.from("h".repeat(28)));
    expect(Buffer.from(encoded, "base64").toString("hex")).toBe(`001e1b46${"29".repeat(24)}`);
  });
});

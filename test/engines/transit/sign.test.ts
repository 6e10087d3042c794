import { describe, expect, test } from "bun:test";
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import type { JsonObject } from "../../../src/base/json.ts";
import { base64, TransitWorld } from "./world.ts";

const MESSAGE = Buffer.from("what is signed");
const input = base64(MESSAGE);
const HASHES: Readonly<Record<string, string>> = {
  sha1: "sha1",
  "sha2-224": "sha224",
  "sha2-256": "sha256",
  "sha2-384": "sha384",
  "sha2-512": "sha512",
  "sha3-224": "sha3-224",
  "sha3-256": "sha3-256",
  "sha3-384": "sha3-384",
  "sha3-512": "sha3-512",
};
const digest = (name: string): Buffer =>
  createHash(HASHES[name] ?? "")
    .update(MESSAGE)
    .digest();

const world = await TransitWorld.create();
const TYPES = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "ed25519"];
for (const type of TYPES) await world.write(`keys/${type}`, { type });

async function publicKey(type: string): Promise<KeyObject> {
  const { keys } = await world.read(`keys/${type}`);
  const text = String(((keys as JsonObject)["1"] as JsonObject).public_key);
  if (type !== "ed25519") return createPublicKey(text);
  const x = Buffer.from(text, "base64").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

const bodyOf = (signature: unknown): string => String(signature).replace(/^vault:v1:/, "");

describe("a signature", () => {
  test.each(TYPES.filter((type) => type.startsWith("ecdsa")))(
    "of %s is one that others verify, whatever the hash, hashed here or there, in both forms",
    async (type) => {
      const key = await publicKey(type);
      for (const hash of Object.keys(HASHES)) {
        const direct = await world.write(`sign/${type}`, { input, hash_algorithm: hash });
        const body = { input: base64(digest(hash)), hash_algorithm: hash, prehashed: true };
        const prehashed = await world.write(`sign/${type}`, { ...body, marshaling_algorithm: "jws" });
        if (!hash.startsWith("sha3")) {
          const der = Buffer.from(bodyOf(direct.signature), "base64");
          expect([hash, nodeVerify(HASHES[hash], MESSAGE, key, der)]).toEqual([hash, true]);
          const raw = Buffer.from(bodyOf(prehashed.signature), "base64url");
          const ieee = { key, dsaEncoding: "ieee-p1363" } as const;
          expect([hash, nodeVerify(HASHES[hash], MESSAGE, ieee, raw)]).toEqual([hash, true]);
        }
        // Each verifies what the other way made.
        expect(
          await world.write(`verify/${type}/${hash}`, { input, signature: direct.signature ?? "" }),
        ).toEqual({
          valid: true,
        });
        expect(
          await world.write(`verify/${type}`, {
            input,
            hash_algorithm: hash,
            signature: prehashed.signature ?? "",
            marshaling_algorithm: "jws",
          }),
        ).toEqual({ valid: true });
        expect(await world.write(`verify/${type}`, { ...body, signature: direct.signature ?? "" })).toEqual({
          valid: true,
        });
      }
    },
  );

  test.each([
    ["auto", (hashBytes: number) => 256 - hashBytes - 2],
    ["0", (hashBytes: number) => 256 - hashBytes - 2],
    ["hash", (hashBytes: number) => hashBytes],
    ["-1", (hashBytes: number) => hashBytes],
    ["20", () => 20],
  ] as const)(
    "of RSA with PSS and salt %s is one that others verify, and theirs are taken",
    async (salt, bytes) => {
      const key = await publicKey("rsa-2048");
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const privateKey = createPrivateKey(await world.exported("signing-key", "rsa-2048"));
      for (const [hash, name] of Object.entries(HASHES)) {
        const saltLength = bytes(digest(hash).length);
        const options = { hash_algorithm: hash, salt_length: salt, signature_algorithm: "pss" };
        const { signature } = await world.write("sign/rsa-2048", { input, ...options });
        const ours = Buffer.from(bodyOf(signature), "base64");
        expect([hash, nodeVerify(name, MESSAGE, { key, padding, saltLength }, ours)]).toEqual([hash, true]);
        const theirs = nodeSign(name, MESSAGE, { key: privateKey, padding, saltLength });
        const what = {
          input: base64(digest(hash)),
          prehashed: true,
          signature: `vault:v1:${base64(theirs)}`,
        };
        expect(await world.write("verify/rsa-2048", { ...what, ...options })).toEqual({ valid: true });
        const otherSalt = { ...options, salt_length: String(saltLength - 1) };
        expect(await world.write("verify/rsa-2048", { ...what, ...otherSalt })).toEqual({ valid: false });
      }
    },
  );

  test("of RSA with PKCS #1 v1.5 is the same as others make, hashed here or there", async () => {
    const privateKey = createPrivateKey(await world.exported("signing-key", "rsa-2048"));
    for (const [hash, name] of Object.entries(HASHES)) {
      const theirs = nodeSign(name, MESSAGE, { key: privateKey, padding: constants.RSA_PKCS1_PADDING });
      const options = { signature_algorithm: "pkcs1v15", hash_algorithm: hash };
      for (const what of [{ input }, { input: base64(digest(hash)), prehashed: true }]) {
        const { signature } = await world.write("sign/rsa-2048", { ...what, ...options });
        expect([hash, signature]).toEqual([hash, `vault:v1:${base64(theirs)}`]);
        expect(
          await world.write("verify/rsa-2048", { ...what, ...options, signature: signature ?? "" }),
        ).toEqual({
          valid: true,
        });
      }
    }
  });

  test("of ed25519 is over the input itself", async () => {
    const key = await publicKey("ed25519");
    const { signature } = await world.write("sign/ed25519/sha2-512", { input });
    expect(nodeVerify(null, MESSAGE, key, Buffer.from(bodyOf(signature), "base64"))).toBe(true);
    expect(await world.write("verify/ed25519", { input, signature: signature ?? "" })).toEqual({
      valid: true,
    });
  });

  test.each(TYPES)("of %s is not one of another input, nor changed in any byte", async (type) => {
    const { signature } = await world.write(`sign/${type}`, { input, marshaling_algorithm: "jws" });
    const jws = { marshaling_algorithm: "jws" };
    const other = { input: base64("something else"), signature: signature ?? "", ...jws };
    expect(await world.write(`verify/${type}`, other)).toEqual({ valid: false });
    const bytes = Buffer.from(bodyOf(signature), "base64url");
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      const forged = `vault:v1:${changed.toString("base64url")}`;
      expect([at, await world.write(`verify/${type}`, { input, signature: forged, ...jws })]).toEqual([
        at,
        { valid: false },
      ]);
    }
  });
});

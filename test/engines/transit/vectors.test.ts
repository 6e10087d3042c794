import { describe, expect, test } from "bun:test";
import {
  constants,
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { aeskwp } from "@noble/ciphers/aes.js";
import { deriveKey } from "../../../src/engines/transit/derive.ts";
import { ed25519Key } from "../../../src/engines/transit/material.ts";
import VECTORS from "./vectors.json" with { type: "json" };
import { base64, TransitWorld } from "./world.ts";

const world = await TransitWorld.create();
const wrapping = createPublicKey(String((await world.read("wrapping_key")).public_key));
const hex = (text: string): Buffer => Buffer.from(text, "hex");
let made = 0;

/** Imports a key, so that each vector goes the way that requests go. @returns Its name. */
async function imported(type: string, key: Uint8Array): Promise<string> {
  const aes = randomBytes(32);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const head = publicEncrypt({ key: wrapping, padding, oaepHash: "sha256" }, aes);
  made += 1;
  const ciphertext = base64(Buffer.concat([head, aeskwp(aes).encrypt(key)]));
  await world.write(`keys/v${made}/import`, { type, ciphertext });
  return `v${made}`;
}

/** Every text that differs in one bit, a bit in each byte. */
function* spoiled(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1) {
    const copy = Buffer.from(bytes.toString("hex"), "hex");
    copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
    yield copy;
  }
}

describe.each(VECTORS.aead)("$source", (vector) => {
  const sealed = Buffer.concat([hex(vector.nonce), hex(vector.ciphertext), hex(vector.tag)]);
  const associated_data = base64(hex(vector.additional));
  const wire = (bytes: Buffer): string => `vault:v1:${base64(bytes)}`;
  const failed = vector.type.startsWith("aes") ? "cipher" : "chacha20poly1305";

  test("decrypts, and nothing that differs from it does", async () => {
    const key = await imported(vector.type, hex(vector.key));
    const { plaintext } = await world.write(`decrypt/${key}`, { ciphertext: wire(sealed), associated_data });
    expect(plaintext).toBe(base64(hex(vector.plaintext)));
    const refused = [400, `${failed}: message authentication failed`];
    for (const bytes of [
      ...spoiled(sealed),
      sealed.subarray(0, -1),
      Buffer.concat([sealed, Buffer.alloc(1)]),
    ]) {
      expect([
        ...(await world.refusal(`decrypt/${key}`, { ciphertext: wire(bytes), associated_data })),
      ]).toEqual(refused);
    }
    for (const bytes of [
      ...spoiled(hex(vector.additional)),
      Buffer.alloc(1),
      Buffer.concat([hex(vector.additional), Buffer.alloc(1)]),
    ]) {
      const body = { ciphertext: wire(sealed), associated_data: base64(bytes) };
      expect([...(await world.refusal(`decrypt/${key}`, body))]).toEqual(refused);
    }
  });

  test("does not decrypt with another key", async () => {
    for (const bytes of [...spoiled(hex(vector.key))].slice(0, 4)) {
      const key = await imported(vector.type, bytes);
      expect((await world.refusal(`decrypt/${key}`, { ciphertext: wire(sealed), associated_data }))[0]).toBe(
        400,
      );
    }
  });
});

describe(VECTORS.hmac.source, () => {
  const { key: keyHex, message, digests } = VECTORS.hmac;

  test.each(Object.entries(digests))(
    "%s is made, and verifies nothing that differs",
    async (algorithm, digest) => {
      const key = await imported("hmac", hex(keyHex));
      const input = base64(message);
      const { hmac } = await world.write(`hmac/${key}/${algorithm}`, { input });
      expect(hmac).toBe(`vault:v1:${base64(hex(digest))}`);
      const valid = async (bytes: Uint8Array, text = input) =>
        (await world.write(`verify/${key}/${algorithm}`, { input: text, hmac: `vault:v1:${base64(bytes)}` }))
          .valid;
      expect(await valid(hex(digest))).toBe(true);
      for (const bytes of spoiled(hex(digest))) expect(await valid(bytes)).toBe(false);
      expect(await valid(hex(digest).subarray(1))).toBe(false);
      expect(await valid(hex(digest), base64(`${message}.`))).toBe(false);
    },
  );
});

describe.each(VECTORS.ed25519)("$source", (vector) => {
  test("is signed, and verifies nothing that differs", async () => {
    const pkcs8 = ed25519Key(hex(vector.seed)).export({ format: "der", type: "pkcs8" });
    const key = await imported("ed25519", pkcs8);
    const input = base64(hex(vector.message));
    const made = await world.write(`sign/${key}`, { input });
    expect(made.signature).toBe(`vault:v1:${base64(hex(vector.signature))}`);
    const { keys } = await world.read(`export/public-key/${key}`);
    expect(keys).toEqual({ "1": base64(hex(vector.public)) });
    for (const bytes of spoiled(hex(vector.signature))) {
      const verdict = await world.write(`verify/${key}`, { input, signature: `vault:v1:${base64(bytes)}` });
      expect(verdict).toEqual({ valid: false });
    }
  });
});

describe.each(VECTORS.ecdsa)("$source of $message", (vector) => {
  test("verifies, hashed here or there, and nothing that differs does", async () => {
    const { curve, type, hash } = vector;
    const ecdh = createECDH(curve === "P-256" ? "prime256v1" : "secp384r1");
    ecdh.setPrivateKey(hex(vector.d));
    const half = vector.d.length / 2;
    const [x, y] = [ecdh.getPublicKey().subarray(1, 1 + half), ecdh.getPublicKey().subarray(1 + half)];
    const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
    const jwk = { kty: "EC", crv: curve, d: url(hex(vector.d)), x: url(x), y: url(y) };
    const pkcs8 = createPrivateKey({ key: jwk, format: "jwk" }).export({ format: "der", type: "pkcs8" });
    const key = await imported(type, pkcs8);
    const digest = createHash(hash.replace("sha2-", "sha")).update(vector.message).digest();
    const direct = { input: base64(vector.message), hash_algorithm: hash, marshaling_algorithm: "jws" };
    const prehashed = { ...direct, input: base64(digest), prehashed: true };
    const wire = (bytes: Uint8Array): string => `vault:v1:${url(bytes)}`;
    for (const body of [direct, prehashed]) {
      const signature = wire(hex(vector.signature));
      expect(await world.write(`verify/${key}`, { ...body, signature })).toEqual({ valid: true });
      for (const bytes of spoiled(hex(vector.signature))) {
        expect(await world.write(`verify/${key}`, { ...body, signature: wire(bytes) })).toEqual({
          valid: false,
        });
      }
      for (const bytes of [
        Buffer.alloc(2 * half),
        Buffer.alloc(2 * half, 0xff),
        hex(vector.signature).reverse(),
      ]) {
        expect(await world.write(`verify/${key}`, { ...body, signature: wire(bytes) })).toEqual({
          valid: false,
        });
      }
    }
    // Signatures of a digest are made as the RFC says, so they are the RFC's own.
    expect((await world.write(`sign/${key}`, prehashed)).signature).toBe(wire(hex(vector.signature)));
  });
});

test(`${VECTORS.keyWrap.source}: unwraps, and nothing that differs from it does`, () => {
  const { key, plaintext, wrapped } = VECTORS.keyWrap;
  const cipher = aeskwp(hex(key));
  const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  expect(hexOf(cipher.encrypt(hex(plaintext)))).toBe(wrapped);
  expect(hexOf(cipher.decrypt(hex(wrapped)))).toBe(plaintext);
  for (const bytes of spoiled(hex(wrapped))) expect(() => cipher.decrypt(bytes)).toThrow();
});

test(`${VECTORS.hkdf.source}`, () => {
  const { secret, info, stream } = VECTORS.hkdf;
  const type = { family: "aead", name: "x", cipher: "aes-256-gcm", keyBytes: 32, nonceBytes: 12 } as const;
  const { key, nonceKey } = deriveKey(type, hex(secret), hex(info), true);
  expect(Buffer.concat([key, nonceKey]).toString("hex")).toStartWith(stream);
});

import { describe, expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";
import { base64, TransitWorld } from "./world.ts";

const world = await TransitWorld.create();
for (const type of ["aes256-gcm96", "ecdsa-p256", "ed25519", "rsa-2048", "hmac"]) {
  await world.write(`keys/${type}`, { type });
}
const input = base64("what is signed");
const { signature } = await world.write("sign/ecdsa-p256", { input });
const good = String(signature);
const jws = String((await world.write("sign/ecdsa-p256", { input, marshaling_algorithm: "jws" })).signature);
const der = Buffer.from(good.slice(9), "base64");

/** A DER signature with other contents. */
const asn1 = (...bytes: number[]): string => `vault:v1:${base64(Buffer.from(bytes))}`;
const NONE = "hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15";

describe("signing", () => {
  test.each([
    ["nope", { input }, "signing key not found"],
    ["aes256-gcm96", { input }, "key type aes256-gcm96 does not support signing"],
    ["hmac", { input }, "key type hmac does not support signing"],
    ["rsa-2048", {}, "input missing"],
    ["rsa-2048", { input: "a" }, "unable to decode input as base64: illegal base64 data at input byte 0"],
    ["rsa-2048", { input, hash_algorithm: "md5" }, 'invalid hash algorithm "md5"'],
    ["rsa-2048/md5", { input }, 'invalid hash algorithm "md5"'],
    ["rsa-2048", { input, algorithm: "md5" }, 'invalid hash algorithm "md5"'],
    ["rsa-2048", { input, marshaling_algorithm: "xml" }, 'invalid marshaling type "xml"'],
    ["rsa-2048", { input, signature_algorithm: "dsa" }, "unsupported rsa signature algorithm dsa"],
    ["rsa-2048", { input, salt_length: "-2" }, "requested salt length -2 is invalid"],
    ["rsa-2048", { input, salt_length: "223" }, "requested salt length 223 is invalid"],
    ["rsa-2048", { input, salt_length: "long" }, "salt length neither 'auto', 'hash', nor an int: long"],
    ["rsa-2048", { input, hash_algorithm: "none" }, NONE],
    ["rsa-2048", { input, hash_algorithm: "none", prehashed: true }, NONE],
    ["rsa-2048", { input, hash_algorithm: "none", signature_algorithm: "pkcs1v15" }, NONE],
    ["rsa-2048", { input, prehashed: true }, "crypto/rsa: input must be hashed message"],
    [
      "ecdsa-p256",
      { input, hash_algorithm: "none", prehashed: true, signature_algorithm: "pkcs1v15" },
      "hash_algorithm=none is for RSA keys only",
    ],
    [
      "rsa-2048",
      {
        input: base64(Buffer.alloc(300)),
        hash_algorithm: "none",
        prehashed: true,
        signature_algorithm: "pkcs1v15",
      },
      "crypto/rsa: message too long for RSA key size",
    ],
    ["ecdsa-p256", { input, key_version: -1 }, "requested version for signing is negative"],
    [
      "ecdsa-p256",
      { input, key_version: 2 },
      "requested version for signing is higher than the latest key version",
    ],
    ["ecdsa-p256", { batch_input: [] }, "missing batch input to process"],
    [
      "ecdsa-p256",
      { prehashed: "x", input },
      'Field validation failed: error converting input for field "prehashed": cannot parse "x" as bool',
    ],
  ] as const)("with %s of %j is refused", async (key, body, text) => {
    expect(await world.refusal(`sign/${key}`, body)).toEqual([400, text]);
  });

  test("without a hash's name is taken with PKCS #1 v1.5", async () => {
    const options = { hash_algorithm: "none", prehashed: true, signature_algorithm: "pkcs1v15" };
    const made = await world.write("sign/rsa-2048", { input, ...options });
    const verdict = { input, signature: made.signature ?? "", ...options };
    expect(await world.write("verify/rsa-2048", verdict)).toEqual({ valid: true });
    expect(await world.write("verify/rsa-2048", { ...verdict, input: base64("other") })).toEqual({
      valid: false,
    });
  });

  test("of a batch says for each what is wrong with it", async () => {
    const body = { batch_input: [{ input, reference: "a" }, { input: "!" }, {}] };
    const answer = await world.core.put("transit/sign/ed25519", body);
    expect(answer).toMatchObject({
      status: 400,
      body: {
        data: {
          batch_results: [
            { key_version: 1, reference: "a", signature: expect.stringMatching(/^vault:v1:/) },
            { error: "unable to decode input as base64: illegal base64 data at input byte 0" },
            { error: "input missing" },
          ],
        },
      },
    });
  });
});

describe("verifying", () => {
  test.each([
    ["nope", { input, signature: good }, "signature verification key not found"],
    ["hmac", { input, signature: good }, "key type hmac does not support verification"],
    ["ecdsa-p256", { input }, "neither a 'signature' nor an 'hmac' were given to verify"],
    ["ecdsa-p256", { input, signature: good, hmac: good }, "provide one of 'signature' or 'hmac'"],
    ["ecdsa-p256", { signature: good }, "input missing"],
    ["ecdsa-p256", { input, signature: "x" }, "invalid signature: no prefix"],
    ["ecdsa-p256", { input, signature: "vault:v1" }, "invalid signature: wrong number of fields"],
    [
      "ecdsa-p256",
      { input, signature: "vault:va:" },
      "invalid signature: version number could not be decoded",
    ],
    ["ecdsa-p256", { input, signature: "vault:v2:AAAA" }, "invalid signature: version is too new"],
    ["ecdsa-p256", { input, signature: "vault:v1:!" }, "invalid base64 signature value"],
    [
      "ecdsa-p256",
      { input, signature: jws, marshaling_algorithm: "jws", hash_algorithm: "x" },
      'invalid hash algorithm "x"',
    ],
    ["ecdsa-p256", { input, signature: good, marshaling_algorithm: "jws" }, "invalid base64 signature value"],
    [
      "ecdsa-p256",
      { input, signature: "vault:v1:AAAA", marshaling_algorithm: "jws" },
      "supplied signature is invalid",
    ],
    ["ecdsa-p256", { input, signature: asn1() }, "supplied signature is invalid"],
    ["ecdsa-p256", { input, signature: asn1(0x30, 0x00) }, "supplied signature is invalid"],
    ["ecdsa-p256", { input, signature: asn1(0x31, 6, 2, 1, 1, 2, 1, 1) }, "supplied signature is invalid"],
    ["ecdsa-p256", { input, signature: asn1(0x30, 6, 2, 1, 0x81, 2, 1, 1) }, "supplied signature is invalid"],
    ["ecdsa-p256", { input, signature: asn1(0x30, 7, 2, 2, 0, 1, 2, 1, 1) }, "supplied signature is invalid"],
    [
      "ecdsa-p256",
      { input, signature: asn1(0x30, 0x81, 6, 2, 1, 1, 2, 1, 1) },
      "supplied signature is invalid",
    ],
    ["ecdsa-p256", { input, signature: asn1(0x30, 3, 2, 1, 1) }, "supplied signature is invalid"],
    [
      "ecdsa-p256",
      { input, signature: asn1(0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1) },
      "supplied signature is invalid",
    ],
    [
      "ecdsa-p256",
      { input, signature: `vault:v1:${base64(Buffer.concat([der, Buffer.from([0])]))}` },
      "supplied signature contains extra data",
    ],
    ["ecdsa-p256", { input, hmac: "x" }, "invalid HMAC to verify: no prefix"],
    ["ecdsa-p256", { input, hmac: "vault:v3:AAAA" }, "invalid HMAC to verify: version is too new"],
    ["ecdsa-p256/md5", { input, hmac: "vault:v1:AAAA" }, 'unsupported algorithm "md5"'],
    [
      "ecdsa-p256",
      {
        batch_input: [
          { input, signature: good },
          { input, hmac: good },
        ],
      },
      "elements of batch_input must all provide 'signature' or all provide 'hmac'",
    ],
    [
      "ecdsa-p256",
      { batch_input: [{ input, signature: good }, { input }] },
      "some elements of batch_input are missing 'signature'",
    ],
    ["ecdsa-p256", { batch_input: [{ input }] }, "no batch_input elements have 'signature' or 'hmac'"],
  ] as const)("with %s of %j is refused", async (key, body, text) => {
    expect(await world.refusal(`verify/${key}`, body)).toEqual([400, text]);
  });

  test.each([asn1(0x30, 6, 2, 1, 0, 2, 1, 0), asn1(0x30, 6, 2, 1, 1, 2, 1, 1)])(
    "says no to the well-formed %s, hashed here or there",
    async (forged) => {
      expect(await world.write("verify/ecdsa-p256", { input, signature: forged })).toEqual({ valid: false });
      const prehashed = { input: base64(createHash("sha256").digest()), prehashed: true, signature: forged };
      expect(await world.write("verify/ecdsa-p256", prehashed)).toEqual({ valid: false });
    },
  );

  test("of a batch answers for each", async () => {
    const batch_input = [
      { input, signature: good, reference: "a" },
      { input: base64("other"), signature: good },
    ];
    expect(await world.write("verify/ecdsa-p256", { batch_input })).toEqual({
      batch_results: [{ valid: true, reference: "a" }, { valid: false }],
    });
  });

  test("stops for versions that were put out of use", async () => {
    await world.write("keys/old", { type: "ed25519" });
    const made = await world.write("sign/old", { input });
    const hmac = (await world.write("hmac/old", { input })).hmac ?? "";
    await world.write("keys/old/rotate");
    await world.write("keys/old/config", { min_decryption_version: 2 });
    expect(await world.refusal("verify/old", { input, signature: made.signature ?? "" })).toEqual([
      400,
      "ciphertext or signature version is disallowed by policy (too old)",
    ]);
    expect(await world.refusal("verify/old", { input, hmac })).toEqual([
      400,
      "cannot verify HMAC: version is too old (disallowed by policy)",
    ]);
  });
});

describe("an HMAC", () => {
  test.each([
    ["sha2-224", "sha224"],
    ["sha2-256", "sha256"],
    ["sha2-512", "sha512"],
    ["sha3-384", "sha3-384"],
  ])("with %s is the one of the key", async (algorithm, node) => {
    const key = Buffer.from(await world.exported("hmac-key", "aes256-gcm96"), "base64");
    const expected = createHmac(node, key).update("what is signed").digest("base64");
    const { hmac } = await world.write(`hmac/aes256-gcm96/${algorithm}`, { input });
    expect(hmac).toBe(`vault:v1:${expected}`);
    const verdict = { input, hmac: hmac ?? "" };
    expect(await world.write(`verify/aes256-gcm96/${algorithm}`, verdict)).toEqual({ valid: true });
    expect(await world.write(`verify/aes256-gcm96/${algorithm}`, { ...verdict, input: "" })).toEqual({
      valid: false,
    });
  });

  test("of a key of type hmac is under the key itself, of the size that was asked for", async () => {
    await world.write("keys/long", { type: "hmac", key_size: 100 });
    const key = Buffer.from(await world.exported("hmac-key", "long"), "base64");
    expect(key.length).toBe(100);
    expect(await world.write("hmac/long", { batch_input: [{ input: "" }] })).toEqual({
      batch_results: [{ hmac: `vault:v1:${createHmac("sha256", key).digest("base64")}` }],
    });
    expect((await world.read("keys/long")).key_size).toBe(100);
  });

  test.each([
    ["nope", { input }, "encryption key not found"],
    ["hmac", {}, "missing input for HMAC"],
    ["hmac", { input: "!" }, "unable to decode input as base64: illegal base64 data at input byte 0"],
    ["hmac", { input, algorithm: "md5" }, 'unsupported algorithm "md5"'],
    ["hmac/sha1", { input }, 'unsupported algorithm "sha1"'],
    ["hmac", { input, key_version: 5 }, "cannot generate HMAC: version is too new"],
    ["turned", { input, key_version: 1 }, "cannot generate HMAC: version is too old (disallowed by policy)"],
  ] as const)("with %s of %j is refused", async (key, body, text) => {
    if (key === "turned") {
      await world.write("keys/turned", { type: "hmac" });
      await world.write("keys/turned/rotate");
      await world.write("keys/turned/config", { min_encryption_version: 2 });
    }
    expect(await world.refusal(`hmac/${key}`, body)).toEqual([400, text]);
  });
});

describe("hash and random", () => {
  test.each([
    ["hash", {}, createHash("sha256").update("what is signed").digest("hex")],
    ["hash/sha3-512", {}, createHash("sha3-512").update("what is signed").digest("hex")],
    [
      "hash",
      { algorithm: "sha2-384", format: "base64" },
      createHash("sha384").update("what is signed").digest("base64"),
    ],
  ])("%s with %j hashes", async (path, more, sum) => {
    expect(await world.write(path, { input, ...more })).toEqual({ sum });
  });

  test.each([
    ["random", {}, 32, "base64"],
    ["random/7", {}, 7, "base64"],
    ["random/platform", { bytes: 5 }, 5, "base64"],
    ["random/all/16", { format: "hex" }, 16, "hex"],
    ["random", { bytes: 131_071 }, 131_071, "base64"],
  ] as const)("%s with %j gives %d bytes", async (path, body, bytes, format) => {
    const { random_bytes } = await world.write(path, body);
    expect(Buffer.from(String(random_bytes), format).length).toBe(bytes);
  });

  test.each([
    ["hash", {}, "input missing"],
    ["hash", { input, algorithm: "md5" }, "unsupported algorithm md5"],
    ["hash", { input, format: "text" }, 'unsupported encoding format text; must be "hex" or "base64"'],
    ["random", { bytes: 0 }, "'bytes' cannot be less than 1"],

    ["random", { bytes: 131_072 }, "'bytes' should be less than 131072"],
    ["random", { format: "text" }, 'unsupported encoding format "text"; must be "hex" or "base64"'],
    ["random/seal/x", {}, 'error parsing url-set byte count: "x"'],
    ["random/moon", {}, 'unsupported entropy source "moon"; must be "platform" or "seal", or "all"'],
  ])("%s with %j is refused", async (path, body, text) => {
    expect(await world.refusal(path, body)).toEqual([400, text]);
  });
});

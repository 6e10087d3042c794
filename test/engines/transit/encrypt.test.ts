import { describe, expect, test } from "bun:test";
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import type { JsonObject } from "../../../src/base/json.ts";
import { base64, must, TransitWorld } from "./world.ts";

const world = await TransitWorld.create();
const CIPHERS = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"];
const RSA = ["rsa-2048"];
for (const type of [...CIPHERS, ...RSA]) await world.write(`keys/${type}`, { type });
await world.write("keys/derived", { derived: true });
await world.write("keys/convergent", { derived: true, convergent_encryption: true });

const context = base64("user 7");

/** Vault's documented scheme, written anew: nonce, ciphertext and tag in base64 behind the prefix. */
function sealed(key: Buffer, nonce: Buffer, text: string, additional = ""): string {
  const cipher = createCipheriv(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(additional));
  const body = [cipher.update(text, "utf8"), cipher.final()];
  return `vault:v1:${base64(Buffer.concat([nonce, ...body, cipher.getAuthTag()]))}`;
}

function opened(key: Buffer, ciphertext: string, additional = ""): string {
  const bytes = Buffer.from(ciphertext.replace(/^vault:v\d+:/, ""), "base64");
  const decipher = createDecipheriv(
    key.length === 16 ? "aes-128-gcm" : "aes-256-gcm",
    key,
    bytes.subarray(0, 12),
  );
  decipher.setAAD(Buffer.from(additional));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString();
}

describe("a ciphertext", () => {
  test.each([...CIPHERS, ...RSA])(
    "of %s decrypts to what went in, and is another each time",
    async (type) => {
      for (const text of ["", "a", "grüße\n".repeat(type.startsWith("rsa") ? 20 : 2000)]) {
        const first = await world.encrypt(type, text);
        expect(first).toStartWith("vault:v1:");
        expect(await world.decrypt(type, first)).toBe(text);
        expect(await world.encrypt(type, text)).not.toBe(first);
      }
    },
  );

  test.each(["aes128-gcm96", "aes256-gcm96"])(
    "of %s has Vault's form: others read it, and theirs is read",
    async (type) => {
      const key = Buffer.from(await world.exported("encryption-key", type), "base64");
      const associated_data = base64("header");
      expect(opened(key, await world.encrypt(type, "mine"))).toBe("mine");
      expect(opened(key, await world.encrypt(type, "mine", { associated_data }), "header")).toBe("mine");
      const theirs = sealed(key, Buffer.alloc(12, 7), "theirs", "header");
      expect(await world.decrypt(type, theirs, { associated_data })).toBe("theirs");
      expect(await world.decrypt(type, theirs.replace("v1", "v0"), { associated_data })).toBe("theirs");
    },
  );

  test("of a derived key is under HKDF of its context", async () => {
    const secret = Buffer.from(await world.exported("encryption-key", "derived"), "base64");
    const key = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), "user 7", 32));
    expect(opened(key, await world.encrypt("derived", "mine", { context }))).toBe("mine");
    expect(await world.decrypt("derived", sealed(key, Buffer.alloc(12), "theirs"), { context })).toBe(
      "theirs",
    );
    const other = await world.refusal("decrypt/derived", {
      ciphertext: await world.encrypt("derived", "mine", { context }),
      context: base64("user 8"),
    });
    expect(other).toEqual([400, "cipher: message authentication failed"]);
  });

  test("of a convergent key is the same for the same, with Vault's nonce", async () => {
    const secret = Buffer.from(await world.exported("encryption-key", "convergent"), "base64");
    const stream = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), "user 7", 64));
    const nonce = createHmac("sha256", stream.subarray(32)).update("mine").digest().subarray(0, 12);
    const expected = sealed(stream.subarray(0, 32), nonce, "mine");
    expect(await world.encrypt("convergent", "mine", { context })).toBe(expected);
    expect(await world.encrypt("convergent", "mine", { context })).toBe(expected);
    expect(await world.decrypt("convergent", expected, { context })).toBe("mine");
  });

  test("of a convergent key never has one nonce for different associated data", async () => {
    const nonces = new Set<string>();
    for (const data of ["a", "b", "mine"]) {
      const more = { context, associated_data: base64(data) };
      const first = await world.encrypt("convergent", "mine", more);
      expect(await world.encrypt("convergent", "mine", more)).toBe(first);
      expect(await world.decrypt("convergent", first, more)).toBe("mine");
      nonces.add(Buffer.from(first.slice(9), "base64").subarray(0, 12).toString("hex"));
    }
    expect(nonces.size).toBe(3);
  });

  test.each(CIPHERS)("of %s that was changed in any byte is refused", async (type) => {
    const bytes = Buffer.from((await world.encrypt(type, "secret")).slice(9), "base64");
    const prefix = type.startsWith("aes") ? "cipher" : "chacha20poly1305";
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x80;
      expect(await world.refusal(`decrypt/${type}`, { ciphertext: `vault:v1:${base64(changed)}` })).toEqual([
        400,
        `${prefix}: message authentication failed`,
      ]);
    }
  });

  test.each([
    ["aes256-gcm96", "", "missing ciphertext to decrypt"],
    ["aes256-gcm96", "v1:AAAA", "invalid ciphertext: no prefix"],
    ["aes256-gcm96", "vault:1:AAAA", "invalid ciphertext: no prefix"],
    ["aes256-gcm96", "vault:v1", "invalid ciphertext: wrong number of fields"],
    ["aes256-gcm96", "vault:vx:AAAA", "invalid ciphertext: version number could not be decoded"],
    ["aes256-gcm96", "vault:v1.5:AAAA", "invalid ciphertext: version number could not be decoded"],
    ["aes256-gcm96", "vault:v:AAAA", "invalid ciphertext: version number could not be decoded"],
    ["aes256-gcm96", "vault:v2:AAAA", "invalid ciphertext: version is too new"],
    ["aes256-gcm96", "vault:v-1:AAAA", "ciphertext or signature version is disallowed by policy (too old)"],
    ["aes256-gcm96", "vault:v1:A", "invalid ciphertext: could not decode base64"],
    ["aes256-gcm96", "vault:v1:AA-_", "invalid ciphertext: could not decode base64"],
    ["aes256-gcm96", "vault:v1:AAAA:AAAA", "invalid ciphertext: could not decode base64"],
    ["aes256-gcm96", "vault:v1:AAAA", "invalid ciphertext length"],
    ["aes256-gcm96", `vault:v1:${"A".repeat(20)}`, "cipher: message authentication failed"],
    ["rsa-2048", "vault:v1:AAAA", "failed to RSA decrypt the ciphertext: crypto/rsa: decryption error"],
    ["nope", "vault:v1:AAAA", "encryption key not found"],
  ])("under %s that is %p is refused", async (key, ciphertext, text) => {
    expect(await world.refusal(`decrypt/${key}`, { ciphertext })).toEqual([400, text]);
    expect((await world.refusal(`rewrap/${key}`, { ciphertext }))[1]).toBe(text);
  });
});

describe("encryption", () => {
  test.each([
    ["aes256-gcm96", {}, "missing plaintext to encrypt"],
    [
      "aes256-gcm96",
      { plaintext: "a b" },
      "failed to base64-decode plaintext: illegal base64 data at input byte 1",
    ],
    [
      "aes256-gcm96",
      { plaintext: "abc" },
      "failed to base64-decode plaintext: illegal base64 data at input byte 0",
    ],
    ["aes256-gcm96", { plaintext: "", key_version: -1 }, "requested version for encryption is negative"],
    [
      "aes256-gcm96",
      { plaintext: "", key_version: 2 },
      "requested version for encryption is higher than the latest key version",
    ],
    ["aes256-gcm96", { plaintext: "", nonce: "AAAA" }, "nonce provided when not allowed"],
    [
      "aes256-gcm96",
      { plaintext: "", associated_data: "!" },
      "failed to base64-decode associated_data: illegal base64 data at input byte 0",
    ],
    [
      "rsa-2048",
      { plaintext: "", associated_data: "AAAA" },
      "'associated_data' provided for non-AEAD cipher suite rsa-2048",
    ],
    [
      "rsa-2048",
      { plaintext: base64("x".repeat(191)) },
      "failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size",
    ],
    ["rsa-2048", { plaintext: "", padding_scheme: "none" }, 'unsupported padding scheme "none"'],
    ["derived", { plaintext: "", context: "!" }, "failed to base64-decode context"],
    [
      "derived",
      { plaintext: "" },
      "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key",
    ],
    [
      "aes256-gcm96",
      { plaintext: "", key_version: "x" },
      'Field validation failed: error converting input for field "key_version": cannot parse "x" as int',
    ],
    [
      "aes256-gcm96",
      { plaintext: { a: 1 } },
      'Field validation failed: error converting input for field "plaintext": the value is not of the field\'s type',
    ],
    ["made", { plaintext: "", type: "nope" }, "unknown key type nope"],
    ["made", { plaintext: "", type: "ml-dsa" }, "keys of type ml-dsa are not offered by vsec"],
    ["made", { plaintext: "", type: "ed25519" }, "key type ed25519 not supported for this operation"],
    [
      "made",
      { plaintext: "", convergent_encryption: true },
      "convergent encryption requires derivation to be enabled, so context is required",
    ],
  ] as const)("with %s of %j is refused, and makes no key", async (key, body, text) => {
    expect(await world.refusal(`encrypt/${key}`, body)).toEqual([400, text]);
    expect((await world.core.get("transit/keys/made")).status).toBe(404);
  });

  test("makes the key that is not there, derived where there is a context, unless that is switched off", async () => {
    await world.encrypt("plain-made", "x");
    expect(await world.read("keys/plain-made")).toMatchObject({ type: "aes256-gcm96", derived: false });
    await world.encrypt("derived-made", "x", {
      context,
      type: "chacha20-poly1305",
      convergent_encryption: true,
    });
    expect(await world.read("keys/derived-made")).toMatchObject({
      type: "chacha20-poly1305",
      derived: true,
      convergent_encryption: true,
    });
    await world.write("config/keys", { disable_upsert: true });
    expect(await world.refusal("encrypt/never", { plaintext: "" })).toEqual([
      400,
      "encryption key not found",
    ]);
    expect(await world.write("config/keys", { disable_upsert: false })).toEqual({ disable_upsert: false });
  });

  test("of a batch keeps order and references, and says for each what is wrong with it", async () => {
    const answer = await world.core.put("transit/encrypt/aes256-gcm96", {
      batch_input: [
        { plaintext: base64("one"), reference: "first" },
        { plaintext: "!", reference: "second" },
        { plaintext: base64("three"), key_version: 9 },
      ],
    });
    expect(answer.status).toBe(400);
    const { batch_results: results } = (answer.body as { data: { batch_results: JsonObject[] } }).data;
    expect(results).toEqual([
      { ciphertext: expect.stringMatching(/^vault:v1:/), key_version: 1, reference: "first" },
      {
        error: "failed to base64-decode plaintext: illegal base64 data at input byte 0",
        reference: "second",
      },
      { error: "requested version for encryption is higher than the latest key version" },
    ]);
    const back = await world.write("decrypt/aes256-gcm96", {
      batch_input: [{ ciphertext: results[0]?.ciphertext ?? "", reference: "r" }],
    });
    expect(back).toEqual({ batch_results: [{ plaintext: base64("one"), reference: "r" }] });
  });

  test.each([
    [207, [{ plaintext: "" }, { plaintext: "!" }], 207],
    [207, [{ plaintext: "!" }], 400],
    [207, [{ plaintext: "" }], 200],
  ])("of a batch answers %d for %j with %d", async (partial_failure_response_code, batch_input, status) => {
    const body = { batch_input, partial_failure_response_code };
    expect((await world.core.put("transit/encrypt/aes256-gcm96", body)).status).toBe(status);
  });

  const decoding = (text: string): string => `failed to parse batch input: 1 error(s) decoding:\n\n* ${text}`;
  test.each([
    [[], "missing batch input to process"],
    [[{}], decoding("'[0].plaintext' missing plaintext to encrypt")],
    [["x"], decoding("'[0]' expected a map, got 'string'")],
    [
      [{ plaintext: 7 }],
      decoding("'[0].plaintext' expected type 'string', got unconvertible type 'json.Number'"),
    ],
    [
      [{ plaintext: "" }, { plaintext: "", context: {} }],
      decoding("'[1].context' expected type 'string', got unconvertible type 'map[string]interface {}'"),
    ],
    [
      [{ plaintext: "", key_version: "x" }],
      decoding("'[0].key_version' expected type 'int', got unconvertible type 'string'"),
    ],
    [
      [{ plaintext: "", context }, { plaintext: "" }],
      "context should be set either in all the request blocks or in none",
    ],
  ])("of the batch %j is refused as a whole", async (batch_input, text) => {
    expect(await world.refusal("encrypt/aes256-gcm96", { batch_input })).toEqual([400, text]);
  });

  test("anew takes the latest version, and shows no plaintext", async () => {
    await world.write("keys/turned", {});
    const old = await world.encrypt("turned", "kept");
    await world.write("keys/turned/rotate");
    const renewed = await world.write("rewrap/turned", { ciphertext: old });
    expect(renewed).toEqual({ ciphertext: expect.stringMatching(/^vault:v2:/), key_version: 2 });
    expect(await world.decrypt("turned", String(renewed.ciphertext))).toBe("kept");
    expect((await world.write("rewrap/turned", { ciphertext: old, key_version: 1 })).key_version).toBe(1);
  });

  test.each([
    ["plaintext", 128],
    ["plaintext", 256],
    ["wrapped", 512],
  ])("of a data key, %s, of %d bits", async (form, bits) => {
    const made = await world.write(`datakey/${form}/aes256-gcm96`, { bits });
    const { plaintext } = await world.write("decrypt/aes256-gcm96", { ciphertext: made.ciphertext ?? "" });
    expect(Buffer.from(String(plaintext), "base64").length).toBe(bits / 8);
    expect(made.plaintext).toEqual(form === "plaintext" ? plaintext : undefined);
  });

  test.each([
    ["datakey/other/aes256-gcm96", {}, "Invalid path, must be 'plaintext' or 'wrapped'"],
    ["datakey/wrapped/aes256-gcm96", { bits: 100 }, "invalid bit length"],
    ["datakey/wrapped/nope", {}, "encryption key not found"],
  ])("of a data key at %s with %j is refused", async (path, body, text) => {
    expect(await world.refusal(path, body)).toEqual([400, text]);
  });

  test("leaves nothing of the plaintext behind", async () => {
    const secret = "a plaintext nobody else has";
    await world.encrypt("aes256-gcm96", secret);
    const { barrier } = world.core;
    const page = async (prefix: string): Promise<string> => {
      let text = "";
      for (const name of (await barrier.list(prefix, { limit: 1000 })).names) {
        text += name.endsWith("/")
          ? await page(prefix + name)
          : Buffer.from((await barrier.get(prefix + name))?.value ?? []).toString("utf8");
      }
      return text;
    };
    const everything = await page("");
    expect(everything).toContain("minDecryptionVersion");
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(base64(secret));
  });
});

test("keys of different stores do not read each other's", async () => {
  const other = await TransitWorld.create();
  must(await other.core.put("transit/keys/aes256-gcm96", {}));
  const ciphertext = await world.encrypt("aes256-gcm96", "x");
  expect((await other.refusal("decrypt/aes256-gcm96", { ciphertext }))[1]).toBe(
    "cipher: message authentication failed",
  );
});

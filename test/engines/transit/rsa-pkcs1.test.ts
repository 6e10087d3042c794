import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { constants, createPrivateKey, createPublicKey, publicEncrypt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decryptPkcs1, encryptPkcs1 } from "../../../src/engines/transit/rsa-pkcs1.ts";
import VECTORS from "./rsa-pkcs1-vectors.json" with { type: "json" };
import { base64, TransitWorld } from "./world.ts";

const KEY = createPrivateKey(VECTORS.key.join("\n"));
const PUBLIC_KEY = createPublicKey(KEY);
const hex = (text: string): Buffer => Buffer.from(text, "hex");

describe(VECTORS.source, () => {
  test.each(VECTORS.vectors)("$title", ({ ciphertext, plaintext }) => {
    expect(decryptPkcs1(KEY, hex(ciphertext)).toString("hex")).toBe(plaintext);
  });
});

describe("a padded text", () => {
  /** A ciphertext of bytes as they are. */
  const raw = (padded: Buffer): Buffer =>
    publicEncrypt({ key: PUBLIC_KEY, padding: constants.RSA_NO_PADDING }, padded);
  const padded = (fillers: number, text: string): Buffer =>
    Buffer.concat([hex("0002"), Buffer.alloc(fillers, 0xaa), hex("00"), Buffer.from(text)]);

  test.each([0, 1, 8, 200, 244, 245])("of %d bytes comes back", (length) => {
    const text = Buffer.alloc(length, "text");
    expect(decryptPkcs1(KEY, encryptPkcs1(PUBLIC_KEY, text))).toEqual(text);
  });

  test("that is wrong in any way gives another text, always the same", () => {
    const good = padded(20, "x".repeat(233));
    expect(good).toHaveLength(256);
    expect(decryptPkcs1(KEY, raw(good)).toString()).toBe("x".repeat(233));
    const wrong: Readonly<Record<string, Buffer>> = {
      "a filler of seven bytes": padded(7, "x".repeat(246)),
      "no separator": Buffer.concat([hex("0002"), Buffer.alloc(254, 0xaa)]),
      "another type": Buffer.concat([hex("0001"), good.subarray(2)]),
      zeros: Buffer.concat([Buffer.alloc(255), hex("01")]),
    };
    for (const [what, bytes] of Object.entries(wrong)) {
      const ciphertext = raw(bytes);
      const first = decryptPkcs1(KEY, ciphertext);
      expect([what, first.length <= 245]).toEqual([what, true]);
      expect([what, first.includes("xxxx")]).toEqual([what, false]);
      expect(decryptPkcs1(KEY, ciphertext)).toEqual(first);
    }
    // The shortest filler that is enough.
    expect(decryptPkcs1(KEY, raw(padded(8, "x".repeat(245)))).toString()).toBe("x".repeat(245));
  });

  test.each([
    ["shorter than the modulus", Buffer.alloc(255, 1)],
    ["longer", Buffer.alloc(257, 1)],
    ["not below it", Buffer.alloc(256, 0xff)],
    ["nothing", Buffer.alloc(0)],
  ])("is not in a ciphertext that is %s", (_what, ciphertext) => {
    expect(() => decryptPkcs1(KEY, ciphertext)).toThrow();
  });
});

describe("padding_scheme=pkcs1v15", async () => {
  const world = await TransitWorld.create();
  await world.write("keys/rsa", { type: "rsa-2048", exportable: true });
  const padding_scheme = "pkcs1v15";
  const { keys } = await world.read("export/encryption-key/rsa");
  const pem = String((keys as Record<string, string>)["1"]);

  /** What openssl makes of bytes by the same padding. */
  function openssl(command: "-encrypt" | "-decrypt", input: Uint8Array): Buffer {
    const folder = mkdtempSync(join(tmpdir(), "vsec-pkcs1-"));
    try {
      const key = join(folder, "key.pem");
      writeFileSync(key, pem);
      const { status, stdout, stderr } = spawnSync("openssl", ["pkeyutl", command, "-inkey", key], { input });
      expect([status, stderr.toString()]).toEqual([0, ""]);
      return stdout;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  test("is openssl's, both ways", async () => {
    const { ciphertext } = await world.write("encrypt/rsa", { plaintext: base64("text"), padding_scheme });
    const bytes = Buffer.from(String(ciphertext).replace("vault:v1:", ""), "base64");
    expect(openssl("-decrypt", bytes).toString()).toBe("text");
    const theirs = `vault:v1:${base64(openssl("-encrypt", Buffer.from("text")))}`;
    expect(await world.write("decrypt/rsa", { ciphertext: theirs, padding_scheme })).toEqual({
      plaintext: base64("text"),
    });
  });

  test("has to be said again to decrypt", async () => {
    const { ciphertext } = await world.write("encrypt/rsa", { plaintext: base64("text"), padding_scheme });
    const text = "failed to RSA decrypt the ciphertext: crypto/rsa: decryption error";
    expect(await world.refusal("decrypt/rsa", { ciphertext: String(ciphertext) })).toEqual([400, text]);
    const short = { ciphertext: "vault:v1:AAAA", padding_scheme };
    expect(await world.refusal("decrypt/rsa", short)).toEqual([400, text]);
  });

  test("leaves room for 245 bytes under 2048 bits", async () => {
    await world.write("encrypt/rsa", { plaintext: base64("x".repeat(245)), padding_scheme });
    expect(
      await world.refusal("encrypt/rsa", { plaintext: base64("x".repeat(246)), padding_scheme }),
    ).toEqual([400, "failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size"]);
  });

  test("is taken by batches, data keys and rewrapping, from one padding to the other", async () => {
    const { batch_results: sealed } = await world.write("encrypt/rsa", {
      batch_input: [{ plaintext: base64("one"), padding_scheme }, { plaintext: base64("two") }],
    });
    const [one, two] = (sealed as { ciphertext: string }[]).map(({ ciphertext }) => ciphertext);
    const { batch_results: opened } = await world.write("decrypt/rsa", {
      batch_input: [{ ciphertext: one ?? "", padding_scheme }, { ciphertext: two ?? "" }],
    });
    expect((opened as { plaintext: string }[]).map(({ plaintext }) => plaintext)).toEqual([
      base64("one"),
      base64("two"),
    ]);
    const data = await world.write("datakey/plaintext/rsa", { padding_scheme });
    const own = { ciphertext: String(data.ciphertext), padding_scheme };
    expect((await world.write("decrypt/rsa", own)).plaintext).toBe(data.plaintext ?? "");
    const { ciphertext } = await world.write("rewrap/rsa", {
      ciphertext: one ?? "",
      decrypt_padding_scheme: padding_scheme,
    });
    expect(await world.write("decrypt/rsa", { ciphertext: String(ciphertext) })).toEqual({
      plaintext: base64("one"),
    });
  });

  test("says nothing of a ciphertext whose padding is wrong", async () => {
    const damaged = openssl("-encrypt", Buffer.from("text"));
    damaged[200] = (damaged[200] ?? 0) ^ 1;
    const ciphertext = `vault:v1:${base64(damaged)}`;
    const answer = await world.write("decrypt/rsa", { ciphertext, padding_scheme });
    expect(answer.plaintext).not.toBe(base64("text"));
    expect(await world.write("decrypt/rsa", { ciphertext, padding_scheme })).toEqual(answer);
  });
});

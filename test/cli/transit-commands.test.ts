import { describe, expect, test } from "bun:test";
import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { aeskwp } from "@noble/ciphers/aes.js";
import { denied, empty, envelope, refused, sent } from "./fake-world.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 4096 });
const WRAPPING = envelope({
  data: { public_key: publicKey.export({ format: "pem", type: "spki" }).toString() },
});
const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const TEXT = KEY.toString("base64");

describe("transit import", () => {
  test.each([
    [
      ["import", "transit/keys/mine", TEXT, "type=aes256-gcm96"],
      "transit/keys/mine/import",
      { type: "aes256-gcm96" },
    ],
    [["import", "a/b/keys/mine", "@key.b64"], "a/b/keys/mine/import", {}],
    [["import-version", "transit/keys/mine", "@key.b64"], "transit/keys/mine/import_version", {}],
  ])("%j sends the key wrapped, and says what it does", async (args, path, data) => {
    const files = { "key.b64": `${TEXT}\n` };
    const ran = await sent(["transit", ...args], { answers: [WRAPPING, empty], files });
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toBe(
      "Retrieving wrapping key.\nWrapping source key with ephemeral key.\nEncrypting ephemeral key with wrapping key.\nSubmitting wrapped key.\nSuccess!\n",
    );
    const [first, second] = ran.requests;
    expect(first).toMatchObject({ method: "GET", path: path.replace(/keys\/.*/, "wrapping_key") });
    const { ciphertext, ...rest } = (second?.body ?? {}) as { ciphertext: string };
    expect([second?.method, second?.path, rest as object]).toEqual(["PUT", path, data]);
    const bytes = Buffer.from(ciphertext, "base64");
    const aes = privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      bytes.subarray(0, 512),
    );
    expect(Buffer.from(aeskwp(aes).decrypt(bytes.subarray(512)))).toEqual(KEY);
    expect(JSON.stringify(ran.requests)).not.toContain(TEXT);
  });

  test.each([
    [
      ["transit/keys/mine"],
      1,
      "Incorrect argument count (expected 2+, got 1). Wanted PATH to import into and KEY material.",
    ],
    [["transit/mine", TEXT], 1, "expected transit path and key name in the form :path:/keys/:name:"],
    [
      ["transit/keys/mine", "!"],
      1,
      "error base64 decoding source key material: illegal base64 data at input byte 0",
    ],
    [
      ["transit/keys/mine", "@none"],
      1,
      "error reading key material file: open none: no such file or directory",
    ],
    [
      ["transit/keys/mine", TEXT, "type"],
      1,
      'Failed to parse K=V data: invalid key/value pair "type": format must be key=value',
    ],
  ])("%j is refused before anything is sent", async (args, exitCode, text) => {
    const ran = await sent(["transit", "import", ...args], { answers: [] });
    expect([ran.exitCode, ran.stderr.trim()]).toEqual([exitCode, text]);
    expect(ran.requests).toEqual([]);
  });

  test("exits with 3 when the API says no, and with 2 when there is nothing to wrap for", async () => {
    const first = await sent(["transit", "import", "transit/keys/mine", TEXT], { answers: [denied] });
    expect([first.exitCode, first.stderr]).toEqual([
      3,
      expect.stringMatching(/^failed to fetch wrapping key: Error/),
    ]);
    const second = await sent(["transit", "import", "transit/keys/mine", TEXT], {
      answers: [WRAPPING, refused(400, "no")],
    });
    expect([second.exitCode, second.stderr]).toEqual([
      3,
      expect.stringMatching(/^failed to call import:Error/),
    ]);
    const third = await sent(["transit", "import", "transit/keys/mine", TEXT], {
      answers: [envelope({ data: { public_key: "x" } })],
    });
    expect([third.exitCode, third.stderr]).toEqual([
      2,
      expect.stringMatching(/^failure encrypting ephemeral key/),
    ]);
  });
});

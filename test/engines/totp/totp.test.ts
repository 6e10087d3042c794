import { beforeEach, describe, expect, test } from "bun:test";
import { inflateSync } from "node:zlib";
import decodeQR from "qr/decode.js";
import type { JsonObject } from "../../../src/base/json.ts";
import { decodeBase32, encodeBase32 } from "../../../src/engines/totp/base32.ts";
import { CoreWorld, dataOf, errorOf } from "../../core/world.ts";

/** RFC 6238 appendix B: the secrets, by hash, and the codes of eight digits at a time in seconds. */
const SECRETS = {
  SHA1: "12345678901234567890",
  SHA256: "12345678901234567890123456789012",
  SHA512: "1234567890123456789012345678901234567890123456789012345678901234",
} as const;
const VECTORS = [
  [59, "94287082", "46119246", "90693936"],
  [1111111109, "07081804", "68084774", "25091201"],
  [1111111111, "14050471", "67062674", "99943326"],
  [1234567890, "89005924", "91819424", "93441116"],
  [2000000000, "69279037", "90698825", "38618901"],
  [20000000000, "65353130", "77737706", "47863826"],
] as const;

describe("the totp engine", () => {
  let world: CoreWorld;

  beforeEach(async () => {
    world = await CoreWorld.create();
    await world.put("sys/mounts/totp", { type: "totp" });
  });

  const write = (path: string, body: JsonObject) => world.put(`totp/${path}`, body);
  const codeOf = async (name: string) => dataOf(await world.get(`totp/code/${name}`)).code;
  const moveTo = (seconds: number) => world.advance(seconds - world.now / 1000);

  test("gives the codes of RFC 6238", async () => {
    for (const algorithm of ["SHA1", "SHA256", "SHA512"] as const) {
      const key = encodeBase32(Buffer.from(SECRETS[algorithm]));
      expect((await write(`keys/${algorithm}`, { key, algorithm, digits: 8 })).status).toBe(204);
    }
    for (const [at, ...codes] of VECTORS) {
      moveTo(at);
      expect([at, await codeOf("SHA1"), await codeOf("SHA256"), await codeOf("SHA512")]).toEqual([
        at,
        ...codes,
      ]);
    }
  });

  test("takes a code once, of the period before and after as well, and no other", async () => {
    await write("keys/me@example.com", { generate: true, issuer: "Example", account_name: "me", qr_size: 0 });
    const code = String(await codeOf("me@example.com"));
    const check = async (given: string) => {
      const answer = await write("code/me@example.com", { code: given });
      return answer.status === 200 ? dataOf(answer).valid : errorOf(answer);
    };
    const used = "code already used; wait until the next time period";
    world.advance(30);
    expect(await check(code)).toBe(true);
    expect(await check(code)).toBe(used);
    const next = String(await codeOf("me@example.com"));
    expect(await check(` ${next} `)).toBe(true);
    expect(await check(next)).toBe(used);
    expect(await check(next.slice(1))).toBe(false);
    world.advance(90);
    expect(await check(code)).toBe(false);
    expect(await check(next)).toBe(false);
    expect(await check("")).toBe("the code value is required");
  });

  test("takes a code once when many give it at the same time", async () => {
    await write("keys/raced", { generate: true, issuer: "x", account_name: "y" });
    const code = await codeOf("raced");
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => write("code/raced", { code: code ?? "" })),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
  });

  test("with a skew of 0 takes the present period's code alone", async () => {
    await write("keys/strict", { generate: true, issuer: "x", account_name: "y", skew: 0 });
    const code = await codeOf("strict");
    world.advance(30);
    expect(dataOf(await write("code/strict", { code: code ?? "" })).valid).toBe(false);
  });

  test("shows a key that it made as a URL and a barcode, and later without its secret", async () => {
    const body = {
      generate: true,
      issuer: "Example & Co",
      account_name: "me@example.com",
      period: "1m",
      digits: 8,
    };
    const { url, barcode } = dataOf(await write("keys/made", body));
    expect(url).toMatch(
      /^otpauth:\/\/totp\/Example%20%26%20Co:me%40example\.com\?algorithm=SHA1&digits=8&issuer=Example%20%26%20Co&period=60&secret=[A-Z2-7]{32}$/,
    );
    expect(readBarcode(Buffer.from(String(barcode), "base64"))).toBe(String(url));
    expect(dataOf(await world.get("totp/keys/made"))).toEqual({
      account_name: "me@example.com",
      algorithm: "SHA1",
      digits: 8,
      issuer: "Example & Co",
      period: 60,
    });
    // Another mount's app reads the URL and gives the same codes.
    await write("keys/copy", { url: url ?? "" });
    expect(await codeOf("copy")).toBe(await codeOf("made"));
    expect(dataOf(await world.get("totp/keys/copy"))).toEqual(dataOf(await world.get("totp/keys/made")));
  });

  test("shows nothing of a key that is not exported, and no barcode of size 0", async () => {
    const body = { generate: true, issuer: "x", account_name: "y" };
    expect((await write("keys/hidden", { ...body, exported: false })).status).toBe(204);
    expect(Object.keys(dataOf(await write("keys/bare", { ...body, qr_size: 0 })))).toEqual(["url"]);
  });

  test("lists and deletes keys", async () => {
    await write("keys/a", { key: "GEZDGNBV" });
    expect(dataOf(await world.send("LIST", "totp/keys")).keys).toEqual(["a"]);
    expect((await world.send("DELETE", "totp/keys/a")).status).toBe(204);
    expect((await world.get("totp/keys/a")).status).toBe(404);
    expect(errorOf(await world.get("totp/code/a"))).toBe("unknown key: a");
  });

  const made = { generate: true, issuer: "x", account_name: "y" };
  test.each([
    [{}, "the key value is required"],
    [{ key: "!" }, "invalid key value: illegal base32 data at input byte 0"],
    [{ key: "A" }, "invalid key value: illegal base32 data at input byte 1"],
    [{ key: "GEZDGNBV", period: 0 }, "the period value must be greater than zero"],
    [{ key: "GEZDGNBV", digits: 7 }, "the digits value can only be 6 or 8"],
    [{ key: "GEZDGNBV", skew: 2 }, "the skew value must be 0 or 1"],
    [{ key: "GEZDGNBV", algorithm: "MD5" }, "the algorithm value is not valid"],
    [{ ...made, key: "GEZDGNBV" }, "a key should not be passed if generate is true"],
    [{ ...made, url: "otpauth://totp/a" }, "a url should not be passed if generate is true"],
    [{ ...made, issuer: "" }, "the issuer value is required for generated keys"],
    [{ ...made, account_name: "" }, "the account_name value is required for generated keys"],
    [{ ...made, key_size: 0 }, "the key_size value must be greater than zero"],
    [{ ...made, key_size: 5000 }, "the key_size value must be at most 4096"],
    [{ ...made, qr_size: -1 }, "the qr_size value must be greater than or equal to zero"],
    [{ ...made, qr_size: 20 }, "the qr_size value must be at least 45, or 0 for no barcode"],
    [{ url: "nonsense" }, "an error occurred while parsing url string"],
    [{ url: "otpauth://totp/a:b" }, "the key value is required"],
    [
      { url: "otpauth://totp/a:b?secret=GEZDGNBV&digits=x" },
      "an error occurred while parsing digits value in url",
    ],
    [
      { url: "otpauth://totp/a:b?secret=GEZDGNBV&period=-1" },
      "an error occurred while parsing period value in url",
    ],
    [
      { key: "GEZDGNBV", digits: "six" },
      'Field validation failed: error converting input for field "digits": cannot parse "six" as int',
    ],
  ])("refuses %j, and keeps nothing", async (body, text) => {
    const answer = await write("keys/refused", body);
    expect([answer.status, errorOf(answer)]).toEqual([400, text]);
    expect((await world.get("totp/keys/refused")).status).toBe(404);
  });
});

/** RFC 4648 section 10. */
test.each([
  ["", ""],
  ["f", "MY======"],
  ["fo", "MZXQ===="],
  ["foo", "MZXW6==="],
  ["foob", "MZXW6YQ="],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI======"],
])("base32 of %p is %s", (text, encoded) => {
  expect(encodeBase32(Buffer.from(text))).toBe(encoded.replaceAll("=", ""));
  for (const form of [encoded, encoded.replaceAll("=", ""), encoded.toLowerCase()]) {
    expect(decodeBase32(form).toString()).toBe(text);
  }
});

/** What a PNG with one bit a pixel says. */
function readBarcode(png: Buffer): string {
  const size = png.readUInt32BE(16);
  expect([size, png.readUInt32BE(20), png[24]]).toEqual([200, 200, 1]);
  const lines = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)));
  const data = new Uint8Array(size * size * 4).fill(255);
  for (let at = 0; at < size * size; at += 1) {
    const [x, y] = [at % size, Math.floor(at / size)];
    const bit = (lines[y * 26 + 1 + (x >> 3)] ?? 0) & (0x80 >> (x & 7));
    data.fill(bit === 0 ? 0 : 255, at * 4, at * 4 + 3);
  }
  return decodeQR({ width: size, height: size, data });
}

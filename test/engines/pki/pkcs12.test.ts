import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { PkiWorld } from "./world.ts";
import { run } from "./x509/authority.ts";

let pki: PkiWorld;

beforeAll(async () => {
  pki = await PkiWorld.create();
  await pki.root();
  await pki.role("any", { key_type: "any" });
});

afterAll(() => pki.remove());

function opened(bundle: unknown, password: string) {
  const file = pki.file(Buffer.from(String(bundle), "base64"));
  return run("openssl", "pkcs12", "-in", file, "-passin", `pass:${password}`, "-nodes");
}

describe("format=pkcs12", () => {
  test.each(["rsa", "ec", "ed25519"])(
    "gives a bundle of an %s key, its certificate and chain, under a password",
    async (type) => {
      const issued = await pki.must("pki/issue/any", {
        common_name: "app.example.com",
        key_type: type,
        format: "pkcs12",
      });
      // The key is in the bundle and nowhere else.
      expect(Object.keys(issued).sort()).toEqual([
        ...["ca_chain", "certificate", "expiration", "issuing_ca"],
        ...["pkcs12", "pkcs12_password", "private_key_type", "serial_number"],
      ]);
      expect(issued.pkcs12_password).toMatch(/^[0-9A-Za-z]{24}$/);
      const { stdout, status } = opened(issued.pkcs12, String(issued.pkcs12_password));
      expect(status).toBe(0);
      const [leaf, root] = (stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END[^-]+-----/g) ?? []).map(
        (pem) => new X509Certificate(pem),
      );
      const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(stdout)?.[0] ?? "";
      expect(leaf?.checkPrivateKey(createPrivateKey(key))).toBe(true);
      expect(root === undefined ? false : leaf?.verify(root.publicKey)).toBe(true);
      expect(stdout).toContain("friendlyName: app.example.com");
    },
  );

  test("takes the caller's password, and does not repeat it", async () => {
    const issued = await pki.must("pki/issue/any", {
      common_name: "app.example.com",
      key_type: "ec",
      format: "pkcs12",
      pkcs12_password: "chosen by the caller",
    });
    expect(JSON.stringify(issued)).not.toContain("chosen by the caller");
    expect(opened(issued.pkcs12, "chosen by the caller").status).toBe(0);
    expect(opened(issued.pkcs12, "another").status).not.toBe(0);
  });

  test("is for paths that make a key: a request is not signed into one", async () => {
    const text = await pki.refused("pki/sign/any", { csr: "-----BEGIN", format: "pkcs12" });
    expect(text).toBe('the "format" path parameter must be "pem", "der", or "pem_bundle"');
  });
});

import { describe, expect, test } from "bun:test";
import { createPrivateKey, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { buildPkcs12 } from "../../../../src/engines/pki/x509/pkcs12.ts";
import { derOf, OpensslAuthority, run } from "./authority.ts";

const authority = new OpensslAuthority("rsa");
const leaf = authority.issue("leaf", 0x3001);
const random = { bytes: (length: number) => randomBytes(length) };

function bundle(password: string, friendlyName = "app.example.com"): string {
  const privateKey = createPrivateKey(readFileSync(leaf.keyFile)).export({ type: "pkcs8", format: "der" });
  const contents = {
    privateKey,
    certificate: derOf(leaf.certFile),
    chain: [derOf(authority.certFile)],
    friendlyName,
  };
  return authority.write("bundle.p12", buildPkcs12(contents, password, random));
}

function openssl(file: string, password: string, ...options: readonly string[]) {
  return run("openssl", "pkcs12", "-in", file, "-passin", `pass:${password}`, "-nodes", ...options);
}

describe("a PKCS#12 bundle", () => {
  test.each(["correct horse", "", "pässwörd", "a".repeat(80)])(
    "is opened by openssl with the password %j",
    (password) => {
      const { stdout, stderr, status } = openssl(bundle(password), password, "-info");
      expect(status).toBe(0);
      expect(stderr).toContain("MAC: sha256");
      expect(stderr).toContain("PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256");
      const pems = stdout.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n/g) ?? [];
      const [first, second, key] = pems;
      expect(first).toBe(readFileSync(leaf.certFile, "utf8"));
      expect(second).toBe(readFileSync(authority.certFile, "utf8"));
      expect(key).toBe(readFileSync(leaf.keyFile, "utf8"));
      expect(stdout).toContain("friendlyName: app.example.com");
    },
  );

  test("is refused with another password", () => {
    const { status, stderr } = openssl(bundle("right"), "wrong");
    expect(status).not.toBe(0);
    expect(stderr).toContain("invalid password");
  });

  test("that was changed is refused", () => {
    const file = bundle("right");
    const bytes = readFileSync(file);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    expect(openssl(authority.write("changed.p12", bytes), "right").status).not.toBe(0);
  });

  const keytool = run("keytool", "-help").status === 0;
  test.skipIf(!keytool)("is opened by Java's keytool, key with its chain (needs keytool)", () => {
    const file = bundle("correct horse", "app");
    const { stdout, status } = run(
      "keytool",
      "-list",
      "-v",
      "-keystore",
      file,
      "-storetype",
      "PKCS12",
      "-storepass",
      "correct horse",
    );
    expect(status).toBe(0);
    expect(stdout).toContain("Your keystore contains 1 entry");
    expect(stdout).toContain("Alias name: app");
    expect(stdout).toContain("Entry type: PrivateKeyEntry");
    expect(stdout).toContain("Certificate chain length: 2");
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { PkiWorld } from "./world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
});
afterAll(() => pki.remove());

/** A CA that openssl has made, imported with its key. @param usage - The value of its key usage; empty: it has none. */
async function imported(usage: string): Promise<string> {
  const keyFile = pki.file("");
  const { text } = pki.openssl(
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", keyFile, "-subj", `/CN=CA for ${usage}`],
    ...(usage === "" ? [] : ["-addext", `keyUsage=${usage}`]),
  );
  const bundle = `${text.slice(text.indexOf("-----BEGIN CERTIFICATE"))}\n${readFileSync(keyFile, "utf8")}`;
  const { imported_issuers: ids } = await pki.must("pki/issuers/import/bundle", { pem_bundle: bundle });
  return String((ids as string[])[0]);
}

describe("an imported CA", () => {
  test.each([
    ["", "read-only,issuing-certificates,crl-signing,ocsp-signing"],
    ["critical,keyCertSign,cRLSign", "read-only,issuing-certificates,crl-signing,ocsp-signing"],
    ["critical,keyCertSign", "read-only,issuing-certificates,ocsp-signing"],
    ["critical,cRLSign", "read-only,crl-signing,ocsp-signing"],
  ])("whose key is for %j may be used as %s", async (usage, expected) => {
    const id = await imported(usage);
    expect((await pki.read(`pki/issuer/${id}`)).usage).toBe(expected);
    expect((await pki.must(`pki/issuer/${id}`, { leaf_not_after_behavior: "truncate" })).usage).toBe(
      expected,
    );
  });

  test("is not given a usage that its certificate does not have", async () => {
    const id = await imported("critical,keyCertSign");
    expect(await pki.refused(`pki/issuer/${id}`, { usage: "issuing-certificates,crl-signing" })).toBe(
      "This issuer's underlying certificate lacks the CRLSign KeyUsage value; unable to set CRLSigningUsage on this issuer as a result.",
    );
    const other = await imported("critical,cRLSign");
    expect(await pki.refused(`pki/issuer/${other}`, { usage: "issuing-certificates" })).toContain(
      "lacks the CertSign KeyUsage value",
    );
    await pki.must(`pki/issuer/${other}`, { usage: "crl-signing" });
    // Nobody would believe such a CRL.
    expect((await pki.raw(`pki/issuer/${id}/crl/pem`)).status).toBe(204);
  });
});

test("a revoked issuer issues nothing any more, whatever is written to it", async () => {
  await pki.mount("revoked");
  await pki.must("revoked/root/generate/internal", { common_name: "R", key_type: "ec" });
  await pki.must("revoked/roles/r", { allow_any_name: true, key_type: "ec", ttl: "1h" });
  await pki.must("revoked/issuer/default/revoke");
  const usage = "read-only,crl-signing,ocsp-signing";
  expect((await pki.must("revoked/issuer/default", { issuer_name: "gone" })).usage).toBe(usage);
  const issued = await pki.refused("revoked/issue/r", { common_name: "a.example.com" });
  expect(issued).toContain("issuer does not allow issuing certificates");
  expect(await pki.refused("revoked/issuer/default", { usage: "issuing-certificates" })).toContain(
    "the issuer is revoked",
  );
});

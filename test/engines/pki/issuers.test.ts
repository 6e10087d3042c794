import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf, errorOf } from "../../core/world.ts";
import { PkiWorld, YEARS_SECONDS } from "./world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
});
afterAll(() => pki.remove());

const patch = (path: string, body: JsonObject) => pki.world.send("PATCH", path, { body });
const list = async (path: string) => dataOf(await pki.world.send("LIST", path));
const pems = (value: unknown): string[] => (value as string[]).map((text) => text.trim());

describe("an intermediate", () => {
  test("is made in one mount and signed by another, and what it issues is trusted through the chain", async () => {
    const root = await pki.root("rsa");
    await pki.mount("int");
    const { csr, key_id: keyId } = await pki.must("int/intermediate/generate/internal", {
      common_name: "Intermediate",
      key_type: "ec",
      add_basic_constraints: true,
    });
    expect(pki.openssl("req", "-verify", "-noout", "-text", "-in", pki.file(String(csr))).text).toContain(
      "CA:TRUE",
    );
    const signed = await pki.must("pki/root/sign-intermediate", {
      csr: String(csr),
      common_name: "Intermediate",
      ttl: "43800h",
      max_path_length: 0,
      permitted_dns_domains: "example.com",
      permitted_ip_ranges: "10.0.0.0/8",
      excluded_email_addresses: "evil.org",
    });
    const text = pki.text(String(signed.certificate));
    for (const part of [
      "CA:TRUE, pathlen:0",
      "Name Constraints: critical",
      "DNS:example.com",
      "IP:10.0.0.0/255.0.0.0",
      "email:evil.org",
    ]) {
      expect(text).toContain(part);
    }
    expect(signed.ca_chain).toEqual([String(signed.certificate), String(root.certificate)]);
    const imported = await pki.must("int/intermediate/set-signed", {
      certificate: `${signed.certificate}\n${root.certificate}`,
    });
    const issuers = imported.imported_issuers as string[];
    expect(imported).toMatchObject({ imported_keys: [], existing_issuers: [], existing_keys: [] });
    expect(imported.mapping).toEqual({ [issuers[0] ?? ""]: keyId ?? "", [issuers[1] ?? ""]: "" });
    // The one with the key is the default, whichever came first.
    expect(await pki.read("int/config/issuers")).toMatchObject({ default: issuers[0] });
    await pki.must("int/roles/r", { allow_any_name: true, key_type: "ec" });
    const leaf = await pki.must("int/issue/r", { common_name: "a.example.com", ttl: "1h" });
    expect(pems(leaf.ca_chain)).toEqual(pems([signed.certificate, root.certificate]));
    const [between = ""] = pems(leaf.ca_chain);
    expect(pki.distrust(String(leaf.certificate), String(root.certificate), [between])).toBe("");
  });

  test("takes subject and names of the request when told to, but not its right to be a CA of any length", async () => {
    const { csr } = pki.csr(
      "/O=Partner/CN=Partner CA",
      "-addext",
      "basicConstraints=critical,CA:TRUE,pathlen:9",
    );
    const signed = await pki.must("pki/root/sign-intermediate", {
      csr,
      use_csr_values: true,
      max_path_length: 1,
    });
    const text = pki.text(String(signed.certificate));
    expect(text).toContain("Subject: O = Partner, CN = Partner CA");
    expect(text).toContain("CA:TRUE, pathlen:1");
    expect(text).not.toContain("pathlen:9");
  });

  test("has the policies that it is given, or else those of its request", async () => {
    const { csr } = pki.csr("/O=Partner/CN=Partner CA", "-addext", "certificatePolicies=1.2.3.4");
    const signed = async (terms: JsonObject): Promise<string> => {
      const path = "pki/root/sign-intermediate";
      return pki.text(
        String((await pki.must(path, { csr, common_name: "Partner CA", ...terms })).certificate),
      );
    };
    expect(await signed({})).not.toContain("Policy");
    expect(await signed({ use_csr_values: true })).toContain("Policy: 1.2.3.4");
    const given = await signed({ use_csr_values: true, policy_identifiers: "2.23.140.1.2.1" });
    expect(given).toContain("Policy: 2.23.140.1.2.1");
    expect(given).not.toContain("1.2.3.4");
    expect(await pki.refused("pki/root/sign-intermediate", { csr, policy_identifiers: "nine" })).toContain(
      "could not be parsed as a valid oid",
    );
  });

  test("may outlive who signs it, with a warning", async () => {
    await pki.mount("young");
    await pki.must("young/root/generate/internal", { common_name: "R", ttl: "10h", key_type: "ec" });
    const { csr } = pki.csr("/CN=Old");
    const { body } = await pki.world.put("young/root/sign-intermediate", {
      csr,
      common_name: "Old",
      ttl: "20h",
    });
    expect((body as { warnings: string[] }).warnings.join()).toContain("is after the CA's expiration time");
  });
});

describe("several issuers", () => {
  test("of a mount are named, listed, chosen, and one of them is the default", async () => {
    await pki.mount("several");
    const first = await pki.must("several/root/generate/internal", {
      common_name: "One",
      issuer_name: "one",
      key_type: "ec",
    });
    const second = await pki.must("several/root/generate/internal", {
      common_name: "Two",
      issuer_name: "two",
      key_name: "key-two",
      key_type: "ed25519",
    });
    expect(
      await pki.refused("several/root/generate/internal", {
        common_name: "X",
        issuer_name: "one",
        key_type: "ec",
      }),
    ).toBe("issuer name already in use");
    expect(
      await pki.refused("several/root/generate/internal", {
        common_name: "X",
        key_name: "key-two",
        key_type: "ec",
      }),
    ).toBe("key name already in use");
    const listed = await list("several/issuers/");
    expect(listed.keys).toEqual([first.issuer_id, second.issuer_id].map(String).sort());
    expect(listed.key_info).toEqual({
      [String(first.issuer_id)]: {
        issuer_name: "one",
        is_default: true,
        key_id: first.key_id ?? "",
        serial_number: first.serial_number ?? "",
      },
      [String(second.issuer_id)]: {
        issuer_name: "two",
        is_default: false,
        key_id: second.key_id ?? "",
        serial_number: second.serial_number ?? "",
      },
    });
    await pki.must("several/roles/r", { allow_any_name: true, key_type: "ec" });
    const request = { common_name: "a.b", ttl: "1h" };
    const byDefault = await pki.must("several/issue/r", request);
    const byName = await pki.must("several/issuer/two/issue/r", request);
    expect([byDefault.issuing_ca, byName.issuing_ca]).toEqual([
      first.certificate ?? "",
      second.certificate ?? "",
    ]);
    await pki.must("several/config/issuers", { default: "two" });
    expect((await pki.must("several/issue/r", request)).issuing_ca).toBe(second.certificate ?? "");
    await pki.must("several/roles/pinned", { allow_any_name: true, key_type: "ec", issuer_ref: "one" });
    expect((await pki.must("several/issue/pinned", request)).issuing_ca).toBe(first.certificate ?? "");
  });

  test("may be told not to issue", async () => {
    await patch("several/issuer/two", { usage: "crl-signing" });
    expect((await pki.read("several/issuer/two")).usage).toBe("read-only,crl-signing");
    expect(await pki.refused("several/issue/r", { common_name: "a.b" })).toContain(
      "but issuer does not allow issuing certificates",
    );
    // A write that replaces sets back what it is not given.
    await pki.must("several/issuer/two", { issuer_name: "two" });
    expect((await pki.read("several/issuer/two")).usage).toBe(
      "read-only,issuing-certificates,crl-signing,ocsp-signing",
    );
  });

  test("are deleted with a warning when one was the default, and a key that is in use is not", async () => {
    const { key_id: keyId = "" } = await pki.read("several/issuer/two");
    const refusal = await pki.world.send("DELETE", `several/key/${keyId}`);
    expect(JSON.stringify(refusal.body)).toContain("Failed to Delete Key.  Key in Use by Issuer:");
    const { body } = await pki.world.send("DELETE", "several/issuer/two");
    expect((body as { warnings: string[] }).warnings.join()).toContain(
      "was configured as the default issuer",
    );
    expect((await pki.world.send("DELETE", `several/key/${keyId}`)).status).toBe(204);
    expect(await pki.refused("several/issue/r", { common_name: "a.b" })).toBe(
      "could not fetch the CA certificate (was one set?): no default issuer currently configured",
    );
  });
});

test("of issuers that are made at once under one name there is one, and none is lost", async () => {
  await pki.mount("raced");
  const answers = await Promise.all(
    ["same", "same", "same", "a", "b", "c"].map((name) =>
      pki.world.put("raced/root/generate/internal", { common_name: "R", issuer_name: name, key_type: "ec" }),
    ),
  );
  expect(answers.filter(({ status }) => status === 200).length).toBe(4);
  const { keys, key_info: info } = await list("raced/issuers/");
  expect((keys as string[]).length).toBe(4);
  const names = Object.values(info as Record<string, { issuer_name: string }>).map((one) => one.issuer_name);
  expect(names.sort()).toEqual(["a", "b", "c", "same"]);
  // The keys of those that were refused are not kept either.
  expect(((await list("raced/keys/")).keys as string[]).length).toBe(4);
});

test("a root is rotated: the next one is cross-signed by the old one, and replaces it", async () => {
  await pki.mount("rotated");
  const old = await pki.must("rotated/root/generate/internal", {
    common_name: "Old root",
    ttl: YEARS_SECONDS,
    key_type: "ec",
  });
  const next = await pki.must("rotated/root/rotate/internal", {
    common_name: "New root",
    ttl: YEARS_SECONDS,
    key_type: "ec",
  });
  expect(next.issuer_name).toBe("next");
  // A second one in waiting has no such name.
  expect(
    (await pki.must("rotated/root/rotate/internal", { common_name: "X", key_type: "ec" })).issuer_name,
  ).toBe("");
  const { csr } = await pki.must("rotated/intermediate/cross-sign", {
    common_name: "New root",
    key_ref: String(next.key_id),
  });
  const cross = await pki.must("rotated/issuer/default/sign-intermediate", {
    csr: String(csr),
    common_name: "New root",
    ttl: "43800h",
  });
  await pki.must("rotated/intermediate/set-signed", { certificate: String(cross.certificate) });
  expect(await pki.must("rotated/root/replace")).toMatchObject({ default: next.issuer_id ?? "" });
  await pki.must("rotated/roles/r", { allow_any_name: true, key_type: "ec" });
  const leaf = await pki.must("rotated/issue/r", { common_name: "a.b", ttl: "1h" });
  expect(leaf.issuing_ca).toBe(next.certificate ?? "");
  expect(pems(leaf.ca_chain)).toEqual(pems([next.certificate, cross.certificate, old.certificate]));
  // Who trusts only the new root, and who trusts only the old one, both trust the certificate.
  expect(pki.distrust(String(leaf.certificate), String(next.certificate))).toBe("");
  expect(pki.distrust(String(leaf.certificate), String(old.certificate), [String(cross.certificate)])).toBe(
    "",
  );
});

test("another CA's own certificate is signed as it is", async () => {
  await pki.mount("other");
  const other = await pki.must("other/root/generate/internal", {
    common_name: "Other root",
    ttl: YEARS_SECONDS,
    key_type: "ec",
  });
  const { certificate, issuing_ca: by } = await pki.must("pki/root/sign-self-issued", {
    certificate: String(other.certificate),
  });
  expect(pki.distrust(String(certificate), String(by))).toBe("");
  expect(
    await pki.refused("pki/root/sign-self-issued", {
      certificate: String(other.certificate),
      require_matching_certificate_algorithms: true,
    }),
  ).toContain("is of another type");
});

describe("an import", () => {
  test("of what openssl has made, in any order, issues with the key that it finds", async () => {
    const keyFile = pki.file("");
    const made = pki.openssl(
      ...[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        keyFile,
        "-subj",
        "/CN=Made by openssl",
      ],
      ...[
        "-days",
        "365",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=keyCertSign,cRLSign",
      ],
    );
    const certificate = made.text.slice(made.text.indexOf("-----BEGIN CERTIFICATE"));
    const bundle = `${readFileSync(keyFile, "utf8")}\n${certificate}`;
    // openssl went by a clock that did not stand still.
    pki.world.advance(600);
    await pki.mount("imported");
    expect(await pki.refused("imported/issuers/import/cert", { pem_bundle: bundle })).toBe(
      "private keys found in the PEM bundle but not allowed by the path; use /issuers/import/bundle",
    );
    const first = await pki.must("imported/config/ca", { pem_bundle: bundle });
    expect((first.imported_issuers as string[]).length).toBe(1);
    expect((first.imported_keys as string[]).length).toBe(1);
    // Again, it is all there.
    expect(await pki.must("imported/issuers/import/bundle", { pem_bundle: bundle })).toEqual({
      mapping: first.mapping ?? {},
      imported_issuers: [],
      imported_keys: [],
      existing_issuers: first.imported_issuers ?? [],
      existing_keys: first.imported_keys ?? [],
    });
    await pki.must("imported/roles/r", { allow_any_name: true, key_type: "ec" });
    const leaf = await pki.must("imported/issue/r", { common_name: "a.b", ttl: "1h" });
    expect(pki.distrust(String(leaf.certificate), certificate)).toBe("");
  });

  test("of a key gives it to the issuer that waits for it", async () => {
    await pki.mount("late");
    await pki.mount("source");
    const root = await pki.must("source/root/generate/exported", {
      common_name: "R",
      key_type: "ec",
      ttl: YEARS_SECONDS,
    });
    await pki.must("late/issuers/import/cert", { pem_bundle: String(root.certificate) });
    await pki.must("late/roles/r", { allow_any_name: true, key_type: "ec" });
    expect(await pki.refused("late/issue/r", { common_name: "a.b" })).toContain("has no key here");
    await pki.must("late/keys/import", { pem_bundle: String(root.private_key), key_name: "it" });
    const leaf = await pki.must("late/issue/r", { common_name: "a.b", ttl: "1h" });
    expect(pki.distrust(String(leaf.certificate), String(root.certificate))).toBe("");
  });

  test("of a key that is encrypted is refused, in whatever form, and not just left out", async () => {
    await pki.mount("encrypted");
    const made = await pki.must("encrypted/root/generate/exported", { common_name: "R", key_type: "ec" });
    const keyFile = pki.file(String(made.private_key));
    const before = await list("encrypted/issuers/");
    const forms = [
      ["ec", "-in", keyFile, "-aes256", "-passout", "pass:secret"],
      ["pkcs8", "-topk8", "-in", keyFile, "-passout", "pass:secret"],
    ];
    for (const form of forms) {
      const key = pki.openssl(...form).text;
      expect(key).toContain("ENCRYPTED");
      const bundle = `${made.certificate}\n${key}`;
      expect(await pki.refused("encrypted/issuers/import/bundle", { pem_bundle: bundle })).toContain(
        "encrypted",
      );
    }
    expect(await list("encrypted/issuers/")).toEqual(before);
  });

  test("of a certificate that is no CA's is refused, and nothing of its bundle is kept", async () => {
    const leaf = await pki.must("late/issue/r", { common_name: "a.b", ttl: "1h" });
    const root = await pki.must("source/root/generate/exported", { common_name: "R2", key_type: "ec" });
    const before = await list("late/issuers/");
    const bundle = `${root.certificate}\n${leaf.certificate}`;
    expect(await pki.refused("late/issuers/import/bundle", { pem_bundle: bundle })).toContain(
      "is not a CA's",
    );
    expect(await list("late/issuers/")).toEqual(before);
  });
});

describe("what is published", () => {
  test("is read without a token, as DER and PEM, and is empty where there is nothing", async () => {
    await pki.mount("public");
    expect(await pki.raw("public/ca")).toMatchObject({ status: 204 });
    expect(await pki.raw("public/crl")).toMatchObject({ status: 204 });
    const { certificate, issuer_id: id } = await pki.must("public/root/generate/internal", {
      common_name: "R",
      key_type: "ec",
    });
    const READS: readonly (readonly [path: string, type: string, form: "der" | "pem"])[] = [
      ["public/ca", "application/pkix-cert", "der"],
      ["public/ca/pem", "application/pem-certificate-chain", "pem"],
      ["public/cert/ca/raw", "application/pkix-cert", "der"],
      ["public/cert/ca/raw/pem", "application/pem-certificate-chain", "pem"],
      ["public/ca_chain", "application/pem-certificate-chain", "pem"],
      [`public/issuer/${id}/der`, "application/pkix-cert", "der"],
      [`public/issuer/${id}/pem`, "application/pem-certificate-chain", "pem"],
    ];
    for (const [path, type, form] of READS) {
      const answer = await pki.raw(path);
      expect([path, answer.status, answer.type]).toEqual([path, 200, type]);
      const shown = pki.openssl("x509", "-inform", form, "-in", pki.file(answer.bytes)).text;
      expect(shown.trim()).toBe(String(certificate));
    }
    expect(await pki.read("public/issuer/default/json")).toMatchObject({
      issuer_id: id ?? "",
      issuer_name: "",
    });
    expect(await pki.read("public/cert/ca")).toMatchObject({ certificate: certificate ?? "" });
  });

  test("is not sent again to who has it, until something about the CAs changes", async () => {
    await pki.must("sys/mounts/public/tune", {
      passthrough_request_headers: ["If-Modified-Since"],
      allowed_response_headers: ["Last-Modified"],
    });
    const { keys } = dataOf(await pki.world.send("LIST", "public/issuers"));
    const [id = ""] = keys as string[];
    const paths = ["ca", "ca/pem", "ca_chain", "cert/ca/raw", `issuer/${id}/der`, `issuer/${id}/json`];
    const statuses = (since: string) =>
      Promise.all(
        paths.map(async (name) => {
          const headers = { "if-modified-since": since };
          return (await pki.world.core.handle({ method: "GET", path: `public/${name}`, headers })).status;
        }),
      );
    pki.world.advance(5);
    const { headers } = await pki.world.core.handle({ method: "GET", path: "public/ca" });
    const since = headers?.["Last-Modified"] ?? "";
    expect(Date.parse(since)).toBeLessThanOrEqual(pki.world.now);
    expect(await statuses(since)).toEqual(paths.map(() => 304));
    pki.world.advance(5);
    // Another default, though it is no younger.
    const other = await pki.must("public/root/generate/internal", { common_name: "R2", key_type: "ec" });
    expect(await statuses(since)).toEqual(paths.map(() => 200));
    await pki.must(`public/config/issuers`, { default: String(other.issuer_id) });
    const now = new Date(pki.world.now).toUTCString();
    pki.world.advance(5);
    await pki.must(`public/config/issuers`, { default: id });
    expect(await statuses(now)).toEqual(paths.map(() => 200));
  });

  test("stands in what is issued, templates filled", async () => {
    await pki.must("public/config/cluster", {
      path: "https://vsec.test/v1/public",
      aia_path: "http://cdn.test/public",
    });
    await pki.must("public/config/urls", {
      issuing_certificates: "{{cluster_aia_path}}/issuer/{{issuer_id}}/der",
      crl_distribution_points: "{{cluster_aia_path}}/issuer/{{issuer_id}}/crl/der",
      ocsp_servers: "{{cluster_path}}/ocsp",
      enable_templating: true,
    });
    await pki.must("public/roles/r", { allow_any_name: true, key_type: "ec" });
    const { issuer_id: id } = await pki.read("public/issuer/default");
    const leaf = await pki.must("public/issue/r", { common_name: "a.b", ttl: "1h" });
    const text = pki.text(String(leaf.certificate));
    expect(text).toContain(`CA Issuers - URI:http://cdn.test/public/issuer/${id}/der`);
    expect(text).toContain(`URI:http://cdn.test/public/issuer/${id}/crl/der`);
    expect(text).toContain("OCSP - URI:https://vsec.test/v1/public/ocsp");
    // An issuer's own URLs come first.
    await patch("public/issuer/default", { ocsp_servers: "http://own.test/ocsp" });
    const own = pki.text(
      String((await pki.must("public/issue/r", { common_name: "a.b", ttl: "1h" })).certificate),
    );
    expect(own).toContain("OCSP - URI:http://own.test/ocsp");
    expect(own).not.toContain("cdn.test");
  });
});

describe("an issuer or a key that there is not", () => {
  test("is said not to be found, by every way to ask for it", async () => {
    for (const path of ["issuer/nope", "issuer/nope/json", "issuer/nope/pem", "issuer/nope/crl"]) {
      const answer = await pki.world.get(`pki/${path}`);
      expect([answer.status, errorOf(answer)]).toEqual([
        400,
        "unable to find PKI issuer for reference: nope",
      ]);
    }
    const changed = await pki.world.put("pki/issuer/nope", { issuer_name: "x" });
    expect(errorOf(changed)).toBe("unable to find PKI issuer for reference: nope");
    const key = await pki.world.get("pki/key/nope");
    expect([key.status, errorOf(key)]).toEqual([400, "unable to find PKI key for reference: nope"]);
  });

  test("does not have to be deleted", async () => {
    for (const path of ["pki/issuer/nope", "pki/key/nope"]) {
      expect((await pki.world.send("DELETE", path)).status).toBe(204);
    }
  });
});

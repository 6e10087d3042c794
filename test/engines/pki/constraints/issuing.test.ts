import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { JsonObject } from "../../../../src/base/json.ts";
import { acmeWorld, TestClient } from "../acme/world.ts";
import { PkiWorld } from "../world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
});
afterAll(() => pki.remove());

/** A mount with a root that has constraints, and a role that allows every name. */
async function constrained(mount: string, bounds: JsonObject): Promise<JsonObject> {
  await pki.mount(mount);
  const terms = { common_name: "Root of Acme", ttl: "87600h", key_type: "ec", ...bounds };
  const root = await pki.must(`${mount}/root/generate/internal`, terms);
  await pki.must(`${mount}/roles/any`, {
    allow_any_name: true,
    enforce_hostnames: false,
    allowed_uri_sans: "*",
    allowed_other_sans: "*",
    cn_validations: "disabled",
    key_type: "ec",
    ttl: "1h",
  });
  return root;
}

const listed = async (path: string): Promise<readonly string[]> =>
  ((await pki.world.send("LIST", path)).body as { data?: { keys: string[] } }).data?.keys ?? [];

describe("an issuer's name constraints", () => {
  const OUTSIDE =
    'DNS name "a.evil.org" breaks the name constraints of the CA "CN=Root of Acme": only example.com is permitted';

  beforeAll(async () => {
    await constrained("own", { permitted_dns_domains: "example.com" });
  });

  test("hold for what is issued with a key", async () => {
    const { certificate } = await pki.must("own/issue/any", { common_name: "a.example.com" });
    expect(pki.text(String(certificate))).toContain("DNS:a.example.com");
    const before = await listed("own/certs");
    expect(await pki.refused("own/issue/any", { common_name: "a.evil.org" })).toBe(OUTSIDE);
    expect(
      await pki.refused("own/issue/any", {
        common_name: "a.example.com",
        alt_names: "b.example.com,a.evil.org",
      }),
    ).toBe(OUTSIDE);
    expect(await listed("own/certs")).toEqual(before);
  });

  test("hold for a common name that is not among the alternative names, unless those are looked at instead", async () => {
    const hidden = { common_name: "a.evil.org", exclude_cn_from_sans: true };
    expect(await pki.refused("own/issue/any", hidden)).toBe(OUTSIDE);
    expect(await pki.refused("own/issue/any", { ...hidden, ip_sans: "10.0.0.1" })).toBe(OUTSIDE);
    const { certificate } = await pki.must("own/issue/any", { ...hidden, alt_names: "a.example.com" });
    expect(pki.text(String(certificate))).toContain("DNS:a.example.com");
  });

  test("hold for requests: by a role, as they are, and of CAs", async () => {
    const { csr } = pki.csr("/CN=a.evil.org", "-addext", "subjectAltName=DNS:a.evil.org");
    expect(await pki.refused("own/sign/any", { csr })).toBe(OUTSIDE);
    expect(await pki.refused("own/sign-verbatim", { csr })).toBe(OUTSIDE);
    expect(await pki.refused("own/sign-verbatim/any", { csr })).toBe(OUTSIDE);
    expect(await pki.refused("own/root/sign-intermediate", { csr, common_name: "a.evil.org" })).toBe(OUTSIDE);
    expect(await pki.refused("own/root/sign-intermediate", { csr, use_csr_values: true })).toBe(OUTSIDE);
    await pki.must("own/root/sign-intermediate", { csr, common_name: "Issuing CA" });
  });

  test("hold for another CA's own certificate, in the form in which it has its names", async () => {
    await constrained("addresses", { permitted_ip_ranges: "10.0.0.0/8" });
    const keyFile = pki.file("");
    const selfSigned = (name: string): string => {
      const { text } = pki.openssl(
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-keyout", keyFile, "-subj", "/CN=Other", "-addext", `subjectAltName=${name}`],
      );
      return text.slice(text.indexOf("-----BEGIN CERTIFICATE"));
    };
    await pki.must("addresses/root/sign-self-issued", { certificate: selfSigned("IP:10.0.0.1") });
    const mapped = { certificate: selfSigned("IP:0:0:0:0:0:ffff:a00:1") };
    expect(await pki.refused("addresses/root/sign-self-issued", mapped)).toContain(
      "only 10.0.0.0/8 is permitted",
    );
  });

  test("do not hold for the CA itself under a new key", async () => {
    await constrained("renewed", { excluded_dns_domains: "example.com" });
    const { csr } = pki.csr("/CN=Root of Acme", "-addext", "subjectAltName=DNS:example.com");
    await pki.must("renewed/root/sign-intermediate", { csr, use_csr_values: true });
  });

  test("leave no lease behind when they are broken", async () => {
    await pki.must("own/roles/leased", {
      allow_any_name: true,
      key_type: "ec",
      ttl: "1h",
      generate_lease: true,
    });
    expect(await pki.refused("own/issue/leased", { common_name: "a.evil.org" })).toBe(OUTSIDE);
    expect(await listed("sys/leases/lookup/own/issue/leased")).toEqual([]);
    await pki.must("own/issue/leased", { common_name: "a.example.com" });
    expect(await listed("sys/leases/lookup/own/issue/leased")).toHaveLength(1);
  });

  test.each([
    [
      { excluded_dns_domains: "evil.org" },
      { common_name: "a.evil.org" },
      /^DNS name "a\.evil\.org" .*: evil\.org is excluded$/,
    ],
    [
      { permitted_ip_ranges: "10.0.0.0/8" },
      { ip_sans: "192.168.0.1" },
      /^IP address "192\.168\.0\.1" .*only 10\.0\.0\.0\/8 is permitted$/,
    ],
    [{ excluded_ip_ranges: "2001:db8::/32" }, { ip_sans: "2001:db8::1" }, /: 2001:db8::\/32 is excluded$/],
    [
      { permitted_email_addresses: "bob@example.com,example.net" },
      { alt_names: "eve@example.com" },
      /^email address "eve@example\.com" .* only bob@example\.com, example\.net are permitted$/,
    ],
    [
      { permitted_uri_domains: ".example.com" },
      { uri_sans: "https://evil.org/" },
      /^URI "https:\/\/evil\.org\/" .*only \.example\.com is permitted$/,
    ],
    [
      { permitted_dns_domains: "a.com,b.com,c.com,d.com,e.com,f.com,g.com" },
      { common_name: "a.evil.org" },
      /only a\.com, b\.com, c\.com, d\.com, e\.com and 2 more are permitted$/,
    ],
  ])("are told of: %j refuses %j", async (bounds, asked, text) => {
    await constrained("told", bounds);
    const refusal = await pki.refused("told/issue/any", { common_name: "Bob", ...asked });
    await pki.world.send("DELETE", "sys/mounts/told");
    expect(refusal).toMatch(text);
  });
});

describe("the constraints of CAs above an issuer", () => {
  /** A mount whose issuer a constrained root has signed; the root is imported too where it is to be known. */
  async function below(mount: string, roots: readonly string[], isRootKnown = true): Promise<void> {
    await pki.mount(mount);
    const { csr } = await pki.must(`${mount}/intermediate/generate/internal`, {
      common_name: "Issuing CA",
      key_type: "ec",
    });
    for (const root of roots) {
      const { certificate, issuing_ca: above } = await pki.must(`${root}/root/sign-intermediate`, {
        csr: String(csr),
        common_name: "Issuing CA",
        ttl: "43800h",
      });
      const chain = isRootKnown ? `${certificate}\n${above}` : String(certificate);
      await pki.must(`${mount}/intermediate/set-signed`, { certificate: chain });
    }
    await pki.must(`${mount}/roles/any`, { allow_any_name: true, key_type: "ec", ttl: "1h" });
  }

  beforeAll(async () => {
    await constrained("com", { common_name: "Root of com", permitted_dns_domains: "com" });
    await constrained("org", { common_name: "Root of org", permitted_dns_domains: "org" });
  });

  test("hold too, as far as they are known", async () => {
    await below("known", ["com"]);
    await pki.must("known/issue/any", { common_name: "a.example.com" });
    expect(await pki.refused("known/issue/any", { common_name: "a.evil.org" })).toBe(
      'DNS name "a.evil.org" breaks the name constraints of the CA "CN=Root of com": only com is permitted',
    );
    await below("unknown", ["com"], false);
    await pki.must("unknown/issue/any", { common_name: "a.evil.org" });
  });

  test("hold along one way upwards, where cross-signing makes several", async () => {
    // The issuing CA has a certificate of another CA, which both roots have signed.
    await pki.mount("middle");
    const { csr, key_id: keyId } = await pki.must("middle/intermediate/generate/internal", {
      common_name: "Middle CA",
      key_type: "ec",
    });
    const above: string[] = [];
    for (const root of ["com", "org"]) {
      const signed = await pki.must(`${root}/root/sign-intermediate`, {
        csr: String(csr),
        common_name: "Middle CA",
        ttl: "43800h",
      });
      above.push(String(signed.certificate), String(signed.issuing_ca));
    }
    const { mapping } = await pki.must("middle/intermediate/set-signed", { certificate: above.join("\n") });
    const middle = Object.entries(mapping as JsonObject).find(([, key]) => key === keyId)?.[0] ?? "";
    await pki.mount("crossed");
    const issuing = await pki.must("crossed/intermediate/generate/internal", {
      common_name: "Issuing CA",
      key_type: "ec",
    });
    const { certificate } = await pki.must(`middle/issuer/${middle}/sign-intermediate`, {
      csr: String(issuing.csr),
      common_name: "Issuing CA",
      ttl: "4380h",
    });
    const chain = [certificate, ...above].join("\n");
    const { imported_issuers: ids } = await pki.must("crossed/intermediate/set-signed", {
      certificate: chain,
    });
    expect(ids).toHaveLength(5);
    await pki.must("crossed/roles/any", { allow_any_name: true, key_type: "ec", ttl: "1h" });
    for (const [index, name] of ["a.example.com", "a.example.org"].entries()) {
      const leaf = await pki.must("crossed/issue/any", { common_name: name });
      const root = above[index * 2 + 1] ?? "";
      const between = [String(certificate), above[index * 2] ?? ""];
      expect(pki.distrust(String(leaf.certificate), root, between)).toBe("");
    }
    expect(await pki.refused("crossed/issue/any", { common_name: "a.example.net" })).toMatch(
      /^DNS name "a\.example\.net" breaks the name constraints of the CA "CN=Root of (com|org)"/,
    );
    // No way allows both.
    expect(
      await pki.refused("crossed/issue/any", { common_name: "a.example.com", alt_names: "a.example.org" }),
    ).toContain("breaks the name constraints");
  });
});

describe("an ACME order", () => {
  test("is refused at once for a name that the issuer's constraints do not allow", async () => {
    const world = await acmeWorld();
    const { body } = await world.put("pki/root/generate/internal", {
      common_name: "Root of test",
      issuer_name: "constrained",
      key_type: "ec",
      permitted_dns_domains: "good.test",
    });
    expect((body as { errors?: unknown }).errors).toBeUndefined();
    const client = await TestClient.create(world, "issuer/constrained/acme");
    await client.register();
    expect((await client.order("a.good.test")).status).toBe(201);
    const refused = await client.order("a.good.test", "a.evil.test");
    expect(refused.body.type).toBe("urn:ietf:params:acme:error:rejectedIdentifier");
    expect(String(refused.body.detail)).toContain('DNS name "a.evil.test" breaks the name constraints');
  });
});

describe("constraints that are asked for", () => {
  test.each([
    [{ permitted_dns_domains: "*.example.com" }, 'permitted_dns_domains: "*.example.com" is not a domain'],
    [{ excluded_dns_domains: "example.com." }, 'excluded_dns_domains: "example.com." is not a domain'],
    [{ permitted_dns_domains: "10.0.0.1" }, 'permitted_dns_domains: "10.0.0.1" is not a domain'],
    [{ permitted_dns_domains: "a..b" }, "is not a domain"],
    [{ permitted_dns_domains: "bücher.example" }, "is not a domain"],
    [
      { permitted_uri_domains: "https://example.com" },
      'permitted_uri_domains: "https://example.com" is not a domain',
    ],
    [
      { excluded_email_addresses: "bob@" },
      'excluded_email_addresses: "bob@" is neither an address nor a domain',
    ],
    [{ permitted_email_addresses: "@example.com" }, "is neither an address nor a domain"],
    [{ permitted_ip_ranges: "10.0.0.0/33" }, 'permitted_ip_ranges: "10.0.0.0/33" is not an address block'],
    [{ permitted_ip_ranges: "::ffff:10.0.0.0/8" }, "is not an address block"],
    [{ permitted_ip_ranges: "example.com" }, "is not an address block"],
  ])("%j are refused, which no verifier would understand", async (bounds, text) => {
    const terms = { common_name: "R", key_type: "ec", ...(bounds as JsonObject) };
    expect(await pki.refused("pki/root/generate/internal", terms)).toContain(text);
  });

  test("are written as openssl reads them", async () => {
    const { certificate } = await pki.must("pki/root/generate/internal", {
      common_name: "R",
      key_type: "ec",
      permitted_dns_domains: ".example.com,example.net",
      excluded_ip_ranges: "::ffff:10.0.0.0/104,2001:db8::/33",
      permitted_email_addresses: "bob@example.com",
      excluded_uri_domains: ".example.org",
    });
    const text = pki.text(String(certificate));
    for (const part of [
      "DNS:.example.com",
      "DNS:example.net",
      "IP:10.0.0.0/255.0.0.0",
      "IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:8000:0:0:0:0:0",
      "email:bob@example.com",
      "URI:.example.org",
    ]) {
      expect(text).toContain(part);
    }
  });

  test.each(["3006a00402020105", "3004a0023000", "0500"])(
    "are not imported when they cannot be read, as %s",
    async (hex) => {
      const { text } = pki.openssl(
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...[
          "-keyout",
          pki.file(""),
          "-subj",
          "/CN=Malformed",
          "-addext",
          `nameConstraints=critical,DER:${hex}`,
        ],
      );
      const bundle = text.slice(text.indexOf("-----BEGIN CERTIFICATE"));
      expect(await pki.refused("pki/issuers/import/bundle", { pem_bundle: bundle })).toBe(
        "failed to parse certificate: malformed name constraints",
      );
    },
  );
});

describe("how many CAs may be below", () => {
  /** A CA of a mount that another mount's default issuer has signed, with that one's chain. */
  async function sub(mount: string, parent: string, terms: JsonObject = {}): Promise<JsonObject> {
    await pki.mount(mount);
    const { csr } = await pki.must(`${mount}/intermediate/generate/internal`, {
      common_name: `CA ${mount}`,
      key_type: "ec",
    });
    const signed = await pki.must(`${parent}/root/sign-intermediate`, {
      csr: String(csr),
      common_name: `CA ${mount}`,
      ...terms,
    });
    const chain = (signed.ca_chain as string[]).join("\n");
    await pki.must(`${mount}/intermediate/set-signed`, { certificate: chain });
    return signed;
  }

  test("is one less below each, unless it is said", async () => {
    await constrained("length", { max_path_length: 2 });
    const first = await sub("length-1", "length");
    expect(pki.text(String(first.certificate))).toContain("CA:TRUE, pathlen:1");
    const second = await sub("length-2", "length-1");
    expect(pki.text(String(second.certificate))).toContain("CA:TRUE, pathlen:0");
    const { csr } = pki.csr("/CN=Third");
    expect(await pki.refused("length-2/root/sign-intermediate", { csr, common_name: "Third CA" })).toBe(
      "signing certificate has a max path length of zero, and cannot issue further CA certificates",
    );
    await pki.must("length-2/roles/any", { allow_any_name: true, key_type: "ec" });
    await pki.must("length-2/issue/any", { common_name: "a.example.com", ttl: "1h" });
  });

  test("is what a CA further above allows", async () => {
    await constrained("above", { max_path_length: 1 });
    // It says of itself what is not its to say.
    await sub("above-1", "above", { max_path_length: -1 });
    const { csr } = pki.csr("/CN=Second");
    expect(await pki.refused("above-1/root/sign-intermediate", { csr, common_name: "Second CA" })).toContain(
      'the CA "CN=Root of Acme" has a max path length of 1',
    );
  });

  test("is not exceeded by a CA from elsewhere either: what it issues would be trusted by nobody", async () => {
    const [rootKey, subKey] = [pki.file(""), pki.file("")];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const pemIn = (text: string): string => text.slice(text.indexOf("-----BEGIN"));
    const root = pemIn(
      pki.openssl(
        ...["req", "-x509", ...key, "-keyout", rootKey, "-subj", "/CN=Strict root"],
        ...["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"],
      ).text,
    );
    const signed = (pathLength: string): string => {
      const csr = pki.openssl(
        ...["req", "-new", ...key, "-keyout", subKey, "-subj", "/CN=Beyond"],
        ...["-addext", `basicConstraints=critical,CA:TRUE${pathLength}`],
      ).text;
      return pemIn(
        pki.openssl(
          ...["x509", "-req", "-in", pki.file(pemIn(csr)), "-CA", pki.file(root), "-CAkey", rootKey],
          ...["-set_serial", "2", "-days", "10", "-copy_extensions", "copy"],
        ).text,
      );
    };
    await pki.mount("beyond");
    const sub = signed("");
    const { mapping } = await pki.must("beyond/issuers/import/bundle", {
      pem_bundle: `${sub}\n${root}\n${readFileSync(subKey, "utf8")}`,
    });
    const [id = ""] = Object.entries(mapping as JsonObject).find(([, keyId]) => keyId !== "") ?? [];
    const csr = pki.csr("/CN=a.example.com").csr;
    expect(await pki.refused(`beyond/issuer/${id}/sign-verbatim`, { csr, ttl: "1h" })).toBe(
      'the CA "CN=Strict root" has a max path length of 0, which the issuer is beyond',
    );
    const leaf = pki.openssl(
      ...["x509", "-req", "-in", pki.file(csr), "-CA", pki.file(sub), "-CAkey", subKey, "-set_serial", "3"],
    ).text;
    const verified = pki.openssl(
      ...["verify", "-CAfile", pki.file(root), "-untrusted", pki.file(sub), pki.file(pemIn(leaf))],
    );
    expect(verified.text).toContain("path length constraint exceeded");
  });

  test("is any number below a CA that does not say", async () => {
    await constrained("any", {});
    const { certificate } = await sub("any-1", "any");
    expect(pki.text(String(certificate))).toContain("CA:TRUE\n");
  });
});

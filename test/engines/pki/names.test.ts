import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { isHostname } from "../../../src/engines/pki/roles/hostname.ts";
import { isCommonNameAllowed, isNameAllowed, type NameRules } from "../../../src/engines/pki/roles/names.ts";
import { dataOf, errorOf } from "../../core/world.ts";
import { PkiWorld } from "./world.ts";

const RULES: NameRules = {
  allow_any_name: false,
  allow_bare_domains: false,
  allow_glob_domains: false,
  allow_localhost: true,
  allow_subdomains: false,
  allow_wildcard_certificates: true,
  allowed_domains: ["example.com"],
  cn_validations: ["email", "hostname"],
  enforce_hostnames: true,
};

type Case = readonly [
  rule: string,
  rules: Partial<NameRules>,
  allowed: readonly string[],
  refused: readonly string[],
];

const SUBDOMAINS = { allow_subdomains: true };

const CASES: readonly Case[] = [
  [
    "no rule",
    {},
    ["localhost", "localdomain"],
    ["example.com", "a.example.com", "a.localhost", "*.localhost", ""],
  ],
  ["no localhost", { allow_localhost: false }, [], ["localhost", "localdomain", "user@localhost"]],
  [
    "bare domains",
    { allow_bare_domains: true },
    ["example.com", "EXAMPLE.com", "user@example.com"],
    ["a.example.com", "example.com.", "example.comm", "xexample.com", "*.example.com", "user@a.example.com"],
  ],
  [
    "subdomains",
    SUBDOMAINS,
    [
      "a.example.com",
      "a.b.example.com",
      "A.Example.Com",
      "*.example.com",
      "*.a.example.com",
      "f*.example.com",
      "*f.example.com",
      "f*f.example.com",
      "user@a.example.com",
      "a.localhost",
      "xn--bcher-kva.example.com",
      "bücher.example.com",
    ],
    [
      "example.com",
      "user@example.com",
      "evilexample.com",
      "a.example.com.evil.org",
      "a.example.com.",
      ".example.com",
      "a..example.com",
      "-a.example.com",
      "a-.example.com",
      "a_b.example.com",
      "**.example.com",
      "a.*.example.com",
      "*.*.example.com",
      "a*b*c.example.com",
      "*",
      "*.com",
      "-*.example.com",
      "user@*.example.com",
      "*@a.example.com",
      "a@b@a.example.com",
      "@a.example.com",
      "user@",
      "a b.example.com",
      "a\0.example.com",
      "evil.org\0.example.com",
      "a.example.com\n",
      "a.example.com\0.evil.org",
      "a\u202e.example.com",
      "ex\u200bample.a.example.com/",
      "http://a.example.com",
      "a/.example.com",
      "a,b.example.com",
      `${"a".repeat(64)}.example.com`,
      `${"a.".repeat(125)}example.com`,
      "1.2.3.4",
      "::1",
    ],
  ],
  [
    "no wildcards",
    { ...SUBDOMAINS, allow_wildcard_certificates: false },
    ["a.example.com"],
    ["*.example.com", "f*.example.com"],
  ],
  [
    "globs",
    { allow_glob_domains: true, allowed_domains: ["ftp*.example.com", "*.org"] },
    ["ftp.example.com", "ftp1.a.example.com", "FTP9.example.com", "a.org"],
    ["xftp.example.com", "ftp.example.net", "ftp.example.com.", "ftp\0.example.com"],
  ],
  [
    "a glob that globs are not allowed for",
    { allowed_domains: ["*.example.com"], allow_bare_domains: true },
    ["*.example.com"],
    ["a.example.com"],
  ],
  [
    "any name",
    { allow_any_name: true },
    ["anything.at.all", "*.com", "u@x.y", "1.2.3.4"],
    ["not a host", "a_b", "*", "a\0b", ""],
  ],
  [
    "any name that is no host name",
    { allow_any_name: true, enforce_hostnames: false },
    ["_sip._tcp.example.com", "not a host"],
    ["a\0b", "a\nb", "a.*.b", "a@b@c"],
  ],
];

describe("a role with", () => {
  for (const [rule, rules, allowed, refused] of CASES) {
    test.each(allowed.map((name) => [name]))(`${rule} allows %j`, (name) => {
      expect(isNameAllowed({ ...RULES, ...rules }, name)).toBe(true);
    });
    test.each(refused.map((name) => [name]))(`${rule} refuses %j`, (name) => {
      expect(isNameAllowed({ ...RULES, ...rules }, name)).toBe(false);
    });
  }
});

describe("a common name", () => {
  const any = { ...RULES, allow_any_name: true };
  const COMMON: readonly (readonly [forms: readonly string[], name: string, isAllowed: boolean])[] = [
    [["email", "hostname"], "a.b", true],
    [["email", "hostname"], "u@a.b", true],
    [["email"], "a.b", false],
    [["hostname"], "u@a.b", false],
    [["disabled"], "Anybody at all", true],
    [["disabled"], "any\0body", false],
    [[], "u@a.b", true],
  ];
  test.each(COMMON)("of the forms %j: %j is allowed: %p", (forms, name, isAllowed) => {
    expect(isCommonNameAllowed({ ...any, cn_validations: forms }, name)).toBe(isAllowed);
  });
});

test("a host name that only looks like one is none", () => {
  const hostile = [
    "ａ.b\u0000",
    "a\u2024b",
    "xn--\u0000",
    "\u00ad",
    "a\u00adb..c",
    "%61.b",
    "[::1]",
    "0x7f.1 ",
  ];
  expect(hostile.filter(isHostname)).toEqual([]);
});

describe("a request", async () => {
  const pki = await PkiWorld.create();
  await pki.root();
  await pki.role("strict", { allow_any_name: false, allowed_domains: "example.com", allow_subdomains: true });
  await pki.role("open", {
    allowed_uri_sans: "spiffe://example.com/*",
    allowed_other_sans: "1.3.6.1.4.1.311.20.2.3;UTF8:*@example.com",
    allowed_serial_numbers: "SN-*",
    allowed_user_ids: "u*",
  });
  await pki.role("no-ips", { allow_ip_sans: false });
  const cn = { common_name: "a.example.com" };

  const REFUSED: readonly (readonly [role: string, request: JsonObject, text: string])[] = [
    ["strict", { common_name: "evil.org" }, "common name evil.org not allowed by this role"],
    ["strict", { ...cn, alt_names: "evil.org" }, "subject alternate name evil.org not allowed by this role"],
    ["strict", { ...cn, alt_names: "u@evil.org" }, "email address u@evil.org not allowed by this role"],
    ["strict", { ...cn, alt_names: "10.0.0.1" }, "alt_names: 10.0.0.1 is an IP address; give it as ip_sans"],
    [
      "strict",
      { ...cn, alt_names: "a\0.example.com" },
      'subject alternate name "a\\u0000.example.com" is not a valid name',
    ],
    ["strict", { ...cn, ip_sans: "10.0.0.256" }, 'the value "10.0.0.256" is not a valid IP address'],
    ["strict", { ...cn, ip_sans: "fe80::1%eth0" }, 'the value "fe80::1%eth0" is not a valid IP address'],
    [
      "no-ips",
      { ...cn, ip_sans: "10.0.0.1" },
      "IP Subject Alternative Names are not allowed in this role, but was provided via the API",
    ],
    [
      "strict",
      { ...cn, uri_sans: "spiffe://example.com/a" },
      "URI Subject Alternative Names are not allowed in this role, but were provided via the API",
    ],
    [
      "open",
      { ...cn, uri_sans: "spiffe://evil.org/a" },
      "URI Subject Alternative Names were provided via the API which are not valid for this role",
    ],
    [
      "open",
      { ...cn, uri_sans: "//example.com" },
      'the provided URI Subject Alternative Name "//example.com" is not a valid URI',
    ],
    ["strict", { ...cn, serial_number: "SN-1" }, "serial_number SN-1 not allowed by this role"],
    ["open", { ...cn, serial_number: "XX-1" }, "serial_number XX-1 not allowed by this role"],
    ["open", { ...cn, user_ids: "u1,x2" }, "user_id x2 is not allowed by this role"],
    ["open", { ...cn, other_sans: "1.2.3;UTF8:a" }, "other SAN OID 1.2.3 not allowed by this role"],
    [
      "open",
      { ...cn, other_sans: "1.3.6.1.4.1.311.20.2.3;UTF8:u@evil.org" },
      "other SAN u@evil.org not allowed for OID 1.3.6.1.4.1.311.20.2.3 by this role",
    ],
    ["open", { ...cn, other_sans: "1.2.3;INT:1" }, "could not parse requested other SAN: 1.2.3;INT:1"],
    [
      "open",
      {},
      'the common_name field is required, or must be provided in a CSR with "use_csr_common_name" set to true, unless "require_cn" is set to false',
    ],
  ];
  test.each(REFUSED)("of the role %s for %j is refused", async (role, request, text) => {
    expect(await pki.refused(`pki/issue/${role}`, request)).toBe(text);
  });

  test("for every kind of name gets a certificate that openssl reads the same way", async () => {
    const { certificate } = await pki.must("pki/issue/open", {
      common_name: "bücher.example.com",
      alt_names: "b.example.com,u@example.com,b.example.com,*.c.example.com",
      ip_sans: "10.0.0.1,::ffff:10.0.0.2,2001:db8::1",
      uri_sans: "spiffe://example.com/a",
      other_sans: "1.3.6.1.4.1.311.20.2.3;UTF8:ü@example.com",
      serial_number: "SN-7",
      user_ids: "u1,u2",
    });
    const text = pki.text(String(certificate));
    const [, names = ""] = /Subject Alternative Name:\s*\n\s*(.*)\n/.exec(text) ?? [];
    expect(names.split(", ").sort()).toEqual([
      "DNS:*.c.example.com",
      "DNS:b.example.com",
      "DNS:xn--bcher-kva.example.com",
      "IP Address:10.0.0.1",
      "IP Address:10.0.0.2",
      "IP Address:2001:DB8:0:0:0:0:0:1",
      "URI:spiffe://example.com/a",
      "email:u@example.com",
      "othername: UPN::ü@example.com",
    ]);
    expect(text).toContain("serialNumber = SN-7");
    expect(text).toContain("UID = u1");
  });

  test("may leave the common name out of the alternative names, or have none", async () => {
    await pki.role("nameless", { require_cn: false, allowed_other_sans: "*" });
    const without = await pki.must("pki/issue/nameless", { ...cn, exclude_cn_from_sans: true });
    expect(pki.text(String(without.certificate))).not.toContain("Subject Alternative Name");
    const nameless = await pki.must("pki/issue/nameless", { alt_names: "b.example.com" });
    // A subject that is only in the extension makes it critical (RFC 5280 section 4.2.1.6).
    expect(pki.text(String(nameless.certificate))).toContain("Subject Alternative Name: critical");
  });

  test("for an address as common name gets no DNS name of it", async () => {
    const { certificate } = await pki.must("pki/issue/open", {
      common_name: "10.0.0.1",
      ip_sans: "10.0.0.1",
    });
    const text = pki.text(String(certificate));
    expect(text).toContain("IP Address:10.0.0.1");
    expect(text).not.toContain("DNS:");
  });

  test("of a role with templates is held against who asks", async () => {
    const { world } = pki;
    await pki.must("sys/auth/userpass", { type: "userpass" });
    const mounts = dataOf(await world.get("sys/auth"));
    const { accessor } = mounts["userpass/"] as { accessor: string };
    await pki.must("sys/policies/acl/issue", { policy: 'path "pki/issue/*" { capabilities = ["update"] }' });
    await pki.must("auth/userpass/users/bob", { password: "a password of bob's", token_policies: "issue" });
    const login = await world.put("auth/userpass/login/bob", { password: "a password of bob's" });
    const { client_token: token } = (login.body as { auth: { client_token: string } }).auth;
    await pki.role("own", {
      allow_any_name: false,
      allow_subdomains: true,
      allow_bare_domains: true,
      allowed_domains: `{{identity.entity.aliases.${accessor}.name}}.example.com,{{identity.entity.metadata.none}}`,
      allowed_domains_template: true,
      allowed_uri_sans: `spiffe://example.com/{{identity.entity.aliases.${accessor}.name}}`,
      allowed_uri_sans_template: true,
    });
    const asBob = (body: JsonObject) => world.send("PUT", "pki/issue/own", { token, body });
    const good = await asBob({ common_name: "bob.example.com", uri_sans: "spiffe://example.com/bob" });
    expect(good.status).toBe(200);
    for (const name of [
      "eve.example.com",
      "example.com",
      `{{identity.entity.aliases.${accessor}.name}}.example.com`,
    ]) {
      expect(errorOf(await asBob({ common_name: name }))).toBe(
        `common name ${name} not allowed by this role`,
      );
    }
    // Root is nobody: for it the templates allow nothing.
    expect(await pki.refused("pki/issue/own", { common_name: "bob.example.com" })).toBe(
      "common name bob.example.com not allowed by this role",
    );
  });
});

/** `vsec pki …` as a person uses it, with the compiled binary. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { extensionValue } from "../../src/cli/pki/extension-bytes.ts";
import { World } from "./world.ts";

const world = new World();

beforeAll(async () => {
  await world.ok("operator init -seal=key-file");
  for (const mount of ["root", "int", "other"])
    await world.ok(`secrets enable -path=${mount} -max-lease-ttl=87600h pki`);
  await world.ok("write root/root/generate/internal common_name=Root ttl=87600h key_type=ec");
  await world.ok("write other/root/generate/internal common_name=Root ttl=87600h key_type=ec");
});

afterAll(() => world.remove());

interface Envelope {
  readonly data: Readonly<Record<string, unknown>>;
}

type Matches = Readonly<Record<string, boolean>>;

async function issuer(path: string): Promise<X509Certificate> {
  const { data } = await world.json<Envelope>(`read ${path}`);
  return new X509Certificate(String(data.certificate));
}

describe("pki issue", () => {
  test("makes an intermediate on another mount, which issues what the root is trusted for", async () => {
    const line = [
      "pki",
      "issue",
      "-issuer_name=first",
      "/root/issuer/default/",
      "int/",
      "common_name=First CA",
    ];
    const { data } = await world.json<Envelope>([...line, "organization=Acme", "key_type=ec", "ttl=8760h"]);
    expect(data).toMatchObject({ issuer_name: "first", key_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(data.ca_chain).toHaveLength(2);
    const made = await issuer("int/issuer/first");
    expect(made.subject).toBe("O=Acme\nCN=First CA");
    expect(made.verify((await issuer("root/issuer/default")).publicKey)).toBe(true);
    await world.ok("write int/roles/web allowed_domains=example.test allow_subdomains=true issuer_ref=first");
    expect(await world.ok("write -field=certificate int/issue/web common_name=a.example.test")).toContain(
      "BEGIN",
    );
  });

  test("whose parent cannot sign says what stands, and how to go on", async () => {
    const failed = await world.run("pki issue root/issuer/none int common_name=x key_type=ec");
    expect([failed.code, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toContain("root/issuer/none/sign-intermediate");
    const [, keyId = ""] = /-type=existing key_ref=([0-9a-f-]{36})/.exec(failed.stderr) ?? [];
    const again = await world.json<Envelope>(
      `pki issue -type=existing root/issuer/default int common_name=Second key_ref=${keyId} ttl=100h`,
    );
    expect(again.data.key_id).toBe(keyId);
  });

  test.each([
    [
      "pki issue root/issuer/default int",
      "Not enough arguments expected parent issuer and child-mount location and some key_value argument",
    ],
    [
      "pki issue root int common_name=x",
      "Parent Issuer root is Not a PKI Issuer Path of the format /mount/issuer/issuer-ref",
    ],
    ["pki issue root/issuer/default int common_name", "Failed to parse K=V data"],
    ["pki reissue root/issuer/default int/issuer/first", "Not enough arguments"],
    ["pki reissue root/issuer/default int/issuer/none int", "int/issuer/none"],
  ])("%s is refused", async (line, text) => {
    const { code, stdout, stderr } = await world.run(line);
    expect([code === 0, stdout]).toEqual([false, ""]);
    expect(stderr).toContain(text);
  });
});

describe("pki reissue", () => {
  test("makes an intermediate like another, but for what is said", async () => {
    await world.ok("pki reissue -issuer_name=third root/issuer/default int/issuer/first int ttl=4000h");
    const [first, third] = [await issuer("int/issuer/first"), await issuer("int/issuer/third")];
    expect(third.subject).toBe(first.subject);
    expect(third.publicKey.asymmetricKeyDetails).toEqual(first.publicKey.asymmetricKeyDetails);
    expect(third.publicKey.equals(first.publicKey)).toBe(false);
    const hours = (Date.parse(third.validTo) - Date.parse(third.validFrom)) / 3_600_000;
    expect(Math.round(hours)).toBe(4000);
  });

  test("keeps the bounds of what the other one may issue, without a word of what was left out", async () => {
    const bounds = {
      max_path_length: "2",
      permitted_dns_domains: ".example.com,example.net",
      excluded_dns_domains: "hr.example.com",
      permitted_ip_ranges: "10.0.0.0/8,2001:db8::/33",
      permitted_email_addresses: "bob@example.com",
      excluded_uri_domains: ".evil.org",
      ext_key_usage: "ServerAuth",
      key_usage: "DigitalSignature",
    };
    const pairs = Object.entries(bounds).map(([name, value]) => `${name}=${value}`);
    const made = await world.run(
      `pki issue -issuer_name=bound root/issuer/default int common_name=Bound key_type=ec ${pairs.join(" ")} exclude_cn_from_sans=true`,
    );
    expect([made.code, made.stderr]).toEqual([0, ""]);
    const again = await world.run("pki reissue -issuer_name=again root/issuer/default int/issuer/bound int");
    expect([again.code, again.stderr]).toEqual([0, ""]);
    const extensionsOf = (certificate: X509Certificate): readonly string[] =>
      ["551d0f", "551d13", "551d1e", "551d25"].map(
        (oid) => extensionValue(certificate.raw, oid)?.toString("hex") ?? "",
      );
    const [bound, successor] = [await issuer("int/issuer/bound"), await issuer("int/issuer/again")];
    expect(extensionsOf(bound)).not.toContain("");
    expect(extensionsOf(successor)).toEqual(extensionsOf(bound));
    expect(successor.subjectAltName).toBe(bound.subjectAltName);
  });
});

describe("pki verify-sign", () => {
  test("tells of two issuers how they belong together", async () => {
    const related = await world.ok("pki verify-sign root/issuer/default int/issuer/first");
    expect(related).toBe(`issuer:root/issuer/default
issued:int/issuer/first

field              value
-----              -----
key_id_match       true
path_match         true
signature_match    true
subject_match      true
trust_match        true
`);
    expect(await world.json<Matches>("pki verify-sign other/issuer/default int/issuer/first")).toEqual({
      key_id_match: false,
      path_match: false,
      signature_match: false,
      // Both roots have the same name, which alone proves nothing.
      subject_match: true,
      trust_match: false,
    });
  });

  test.each(["pki verify-sign root/issuer/default", "pki verify-sign a b c", "pki verify-sign root int"])(
    "%s is refused",
    async (line) => {
      const { code, stdout } = await world.run(line);
      expect([code, stdout]).toEqual([1, ""]);
    },
  );
});

describe("pki list-intermediates", () => {
  test("lists what an issuer has signed, on the mounts that are named or on all", async () => {
    const named = await world.json<Matches>("pki list-intermediates -use_names root/issuer/default int");
    expect(named).toMatchObject({ "int/issuer/first": true, "int/issuer/third": true });
    const all = await world.json<Matches>("pki list-intermediates other/issuer/default");
    expect(Object.keys(all).length).toBeGreaterThan(Object.keys(named).length - 1);
    expect(Object.values(all)).not.toContain(true);
    const one = await world.ok("pki list-intermediates root/issuer/default int/issuer/first");
    expect(one).toBe("intermediate        match?\n------------        ------\nint/issuer/first    true\n");
  });

  test("asks for as much agreement as the flags say", async () => {
    const line = "pki list-intermediates -key_id_match=false -direct_sign=false -indirect_sign=false";
    const matches = await world.json<Matches>(`${line} other/issuer/default int/issuer/first`);
    expect(matches).toEqual({ "int/issuer/first": true });
  });
});

describe("pki health-check", () => {
  interface Finding {
    readonly status_code: number;
    readonly status: string;
    readonly endpoint: string;
    readonly message: string;
  }
  type Report = Readonly<Record<string, readonly Finding[]>>;

  async function report(line: string): Promise<{ code: number | null; report: Report }> {
    const { code, stdout } = await world.run(line, { env: { VSEC_FORMAT: "json" } });
    return { code, report: JSON.parse(stdout) as Report };
  }

  const statuses = (findings: readonly Finding[] = []): readonly string[] =>
    findings.map(({ status }) => status);

  test("runs every check that is not off by default, in order, and its exit code is the worst finding's", async () => {
    const { code, report: found } = await report("pki health-check root");
    expect(code).toBe(4);
    expect(Object.keys(found)).toEqual([
      ...["ca_validity_period", "crl_validity_period", "root_issued_leaves", "role_allows_localhost"],
      ...["role_allows_glob_wildcards", "role_no_store_false", "audit_visibility", "allow_if_modified_since"],
      ...[
        "enable_auto_tidy",
        "tidy_last_run",
        "too_many_certs",
        "enable_acme_issuance",
        "allow_acme_headers",
      ],
    ]);
    expect(statuses(found.ca_validity_period)).toEqual(["ok"]);
    expect(found.tidy_last_run).toEqual([
      {
        status_code: 4,
        status: "critical",
        endpoint: "/root/tidy-status",
        message: "The mount has never been tidied.",
      },
    ]);
  });

  test("is content once what it says was done", async () => {
    await world.ok("write root/tidy tidy_cert_store=true tidy_revoked_certs=true");
    await world.ok("write root/config/auto-tidy enabled=true tidy_cert_store=true tidy_revoked_certs=true");
    const request =
      "csr,certificate,issuer_ref,common_name,alt_names,other_sans,ip_sans,uri_sans,ttl,not_after";
    const more = "serial_number,key_type,private_key_format,user_ids,role,name";
    const tuned = [...`${request},${more}`.split(",").map((name) => `-audit-non-hmac-request-keys=${name}`)];
    for (const name of ["certificate", "issuing_ca", "serial_number", "error", "ca_chain"])
      tuned.push(`-audit-non-hmac-response-keys=${name}`);
    tuned.push("-passthrough-request-headers=If-Modified-Since", "-allowed-response-headers=Last-Modified");
    await world.ok(["secrets", "tune", ...tuned, "root"]);
    const { code, report: found } = await report("pki health-check root");
    expect(Object.values(found).flatMap((findings) => statuses(findings))).not.toContain("warning");
    expect(code).toBe(0);
  });

  test("warns of a role for localhost and of a leaf that the root signed; a file says what is meant to be so", async () => {
    await world.ok("write root/roles/local allowed_domains=example.test allow_subdomains=true");
    await world.ok("write root/issue/local common_name=a.example.test");
    const { code, report: found } = await report("pki health-check root");
    expect(code).toBe(3);
    expect(statuses(found.role_allows_localhost)).toEqual(["warning"]);
    expect(statuses(found.root_issued_leaves)).toEqual(["warning"]);
    const settings = {
      role_allows_localhost: { allowed_roles: ["local"] },
      role_no_store_false: { allowed_roles: ["local"] },
      root_issued_leaves: { enabled: false },
    };
    const file = world.file("health.json", JSON.stringify(settings));
    const meant = await report(`pki health-check -health-config=${file} root`);
    expect([meant.code, meant.report.root_issued_leaves, meant.report.role_allows_localhost]).toEqual([
      0,
      undefined,
      [],
    ]);
    const only = world.file(
      "only.json",
      JSON.stringify({ too_many_certs: { enabled: true, count_warning: 1 } }),
    );
    const one = await report(`pki health-check -default-disabled -health-config=${only} root`);
    expect([one.code, Object.keys(one.report)]).toEqual([3, ["too_many_certs"]]);
  });

  test("counts as failed from the status on that is asked for", async () => {
    expect((await world.run("pki health-check -return-indicator=warning root")).code).toBe(3);
    expect((await world.run("pki health-check -return-indicator=critical root")).code).toBe(0);
  });

  test("tells what a token may not read", async () => {
    await world.ok("policy write roles-only -", {
      stdin: 'path "root/roles*" { capabilities = ["read", "list"] }',
    });
    const { auth } = await world.json<{ auth: { client_token: string } }>("token create -policy=roles-only");
    const env = { VSEC_TOKEN: auth.client_token, VSEC_FORMAT: "json" };
    const { code, stdout } = await world.run("pki health-check root", { env });
    const found = JSON.parse(stdout) as Report;
    expect(code).toBe(6);
    expect(statuses(found.enable_auto_tidy)).toEqual(["insufficient_permissions"]);
    expect(statuses(found.role_allows_localhost)).toEqual(["warning"]);
  });

  test("shows as tables, and lists its settings", async () => {
    const { stdout } = await world.run("pki health-check root");
    expect(stdout).toStartWith(
      "ca_validity_period\n------------------\nstatus    endpoint                                             message\n",
    );
    const listed = await world.ok("pki health-check -list root");
    expect(listed).toStartWith("Default health check config:\n{\n");
    expect(JSON.parse(listed.slice(listed.indexOf("{")))).toMatchObject({
      crl_validity_period: { enabled: true, crl_expiry_pct_critical: "95" },
      hardware_backed_root: { enabled: false },
    });
    expect(await world.json<object>("pki health-check -list root")).toHaveProperty("tidy_last_run");
  });

  test.each([
    ["pki health-check", "Not enough arguments (expected mount path, got nothing)"],
    ["pki health-check -health-config=none.json root", "none.json"],
    ["pki health-check -return-indicator=loud root", "loud"],
    ["pki health-check -health-config=bad.json root", 'there is no health check "nothing"'],
    ["pki health-check -health-config=worse.json root", "too_many_certs.count_warning cannot be"],
  ])("%s is refused", async (line, text) => {
    world.file("bad.json", '{"nothing": {}}');
    world.file("worse.json", '{"too_many_certs": {"count_warning": "many"}}');
    const { code, stdout, stderr } = await world.run(line);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(text);
  });
});

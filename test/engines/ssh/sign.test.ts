import { afterAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { JsonObject } from "../../../src/base/json.ts";
import type { ApiResponse } from "../../../src/contract/wire.ts";
import { dataOf, errorOf } from "../../core/world.ts";
import { SshWorld } from "./world.ts";

const world = await SshWorld.create();
afterAll(() => world.directory.remove());
const USER = world.keygen("user", "-t", "ed25519");
const { public_key: AUTHORITY } = await world.write("config/ca", { key_type: "ed25519" });
const ROLE = {
  key_type: "ca",
  allow_user_certificates: true,
  allowed_users: "ubuntu,deploy",
  default_user: "ubuntu",
  allowed_extensions: "permit-pty,permit-X11-forwarding",
  default_extensions: { "permit-pty": "" },
  ttl: "30m",
  max_ttl: "1h",
};
await world.write("roles/users", ROLE);

async function sign(body: JsonObject = {}, role: JsonObject = {}): Promise<Readonly<Record<string, string>>> {
  await world.write("roles/tried", { ...ROLE, ...role });
  const { signed_key } = await world.write("sign/tried", { public_key: USER, ...body });
  return world.show(signed_key ?? "");
}

describe("a certificate", () => {
  test("says what the role says", async () => {
    const { serial_number, signed_key } = await world.write("sign/users", { public_key: USER });
    const blob = Buffer.from(USER.split(" ")[1] ?? "", "base64");
    const shown = world.show(signed_key ?? "");
    expect(shown).toMatchObject({
      Type: "ssh-ed25519-cert-v01@openssh.com user certificate",
      "Key ID": `"vault-root-${createHash("sha256").update(blob).digest("hex")}"`,
      Serial: BigInt(`0x${serial_number}`).toString(),
      Valid: "from 2023-11-14T22:12:50 to 2023-11-14T22:43:20",
      Principals: "ubuntu",
      "Critical Options": "(none)",
      Extensions: "permit-pty",
    });
    expect(String(signed_key)).toEndWith("\n");
  });

  test.each([
    ["rsa", ["-t", "rsa", "-b", "2048"]],
    ["p256", ["-t", "ecdsa", "-b", "256"]],
    ["p384", ["-t", "ecdsa", "-b", "384"]],
    ["p521", ["-t", "ecdsa", "-b", "521"]],
  ])("is made of a key of kind %s", async (name, options) => {
    const line = world.keygen(name, ...options);
    const { signed_key } = await world.write("sign/users", { public_key: line });
    const own = execFileSync("ssh-keygen", ["-l", "-f", world.path(`${name}.pub`)])
      .toString()
      .split(" ")[1];
    expect(world.show(signed_key ?? "")["Public key"]).toContain(own ?? "nothing");
  });

  test("is made of a key that lies on a security token", async () => {
    const part = (bytes: Buffer | string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(bytes));
      return Buffer.concat([length, Buffer.from(bytes as Buffer)]);
    };
    const name = "sk-ssh-ed25519@openssh.com";
    const blob = Buffer.concat([part(name), part(Buffer.alloc(32, 7)), part("ssh:")]);
    const { signed_key } = await world.write("sign/users", {
      public_key: `${name} ${blob.toString("base64")}`,
    });
    expect(world.show(signed_key ?? "")).toMatchObject({
      Type: "sk-ssh-ed25519-cert-v01@openssh.com user certificate",
      "Public key": expect.stringContaining("ED25519-SK-CERT"),
    });
  });

  test.each([
    [{ valid_principals: "deploy,ubuntu" }, {}, { Principals: "deploy ubuntu" }],
    [{ valid_principals: "anyone" }, { allowed_users: "*" }, { Principals: "anyone" }],
    [{}, { default_user: "", allow_empty_principals: true }, { Principals: "(none)" }],
    [{ ttl: "1h" }, {}, { Valid: "from 2023-11-14T22:12:50 to 2023-11-14T23:13:20" }],
    [{}, { not_before_duration: "5m" }, { Valid: "from 2023-11-14T22:08:20 to 2023-11-14T22:43:20" }],
    [{ key_id: "mine" }, { allow_user_key_ids: true }, { "Key ID": '"mine"' }],
    [{}, { key_id_format: "{{role_name}}/{{token_display_name}}/{{x}}" }, { "Key ID": '"tried/root/{{x}}"' }],
    [{ extensions: { "permit-X11-forwarding": "" } }, {}, { Extensions: "permit-X11-forwarding" }],
    [{ extensions: { any: "" } }, { allowed_extensions: "*" }, { Extensions: "any UNKNOWN FLAG OPTION" }],
    [
      { critical_options: { "force-command": "/bin/true" } },
      {},
      { "Critical Options": "force-command /bin/true" },
    ],
    [
      {},
      { default_critical_options: { "source-address": "10.0.0.0/8", "force-command": "id" } },
      { "Critical Options": "force-command id source-address 10.0.0.0/8" },
    ],
    [
      { cert_type: "host", valid_principals: "a.example.com,example.com" },
      {
        allow_host_certificates: true,
        allowed_domains: "example.com",
        allow_subdomains: true,
        allow_bare_domains: true,
        default_extensions: {},
      },
      { Type: "ssh-ed25519-cert-v01@openssh.com host certificate", Principals: "a.example.com example.com" },
    ],
  ])("asked for with %j of a role with %j shows %j", async (body, role, expected) => {
    expect(await sign(body, role)).toMatchObject(expected);
  });

  const NO_PRINCIPALS =
    "refusing to issue unsafe, globally-valid certificate with no principals specified; set valid_principals or default_user";
  const HOSTS = { allow_host_certificates: true, allowed_domains: "example.com" };
  test.each([
    [{ valid_principals: "root" }, {}, "root is not a valid value for valid_principals"],
    [{ valid_principals: "ubuntu,root" }, {}, "root is not a valid value for valid_principals"],
    [{ valid_principals: "ubuntu" }, { allowed_users: "" }, "role is not configured to allow any principals"],
    [{}, { default_user: "" }, NO_PRINCIPALS],
    [{ cert_type: "host" }, {}, "cert_type 'host' is not allowed by role"],
    [{ cert_type: "root" }, {}, "cert_type must be either 'user' or 'host'"],
    [{ cert_type: "host" }, HOSTS, NO_PRINCIPALS],
    [
      { cert_type: "host", valid_principals: "example.com" },
      HOSTS,
      "example.com is not a valid value for valid_principals",
    ],
    [
      { cert_type: "host", valid_principals: "badexample.com" },
      { ...HOSTS, allow_subdomains: true },
      "badexample.com is not a valid value for valid_principals",
    ],
    [
      { cert_type: "host", valid_principals: ".example.com" },
      { ...HOSTS, allow_subdomains: true },
      ".example.com is not a valid value for valid_principals",
    ],
    [{ ttl: "61m" }, {}, "ttl is larger than maximum allowed 3600"],
    [{ key_id: "mine" }, {}, "setting key_id is not allowed by role"],
    [{ extensions: { other: "" } }, {}, "extensions [other] are not on allowed list"],
    [
      { extensions: { "permit-pty": "" } },
      { allowed_extensions: "" },
      "extensions [permit-pty] are not on allowed list",
    ],
    [
      { critical_options: { other: "" } },
      { allowed_critical_options: "force-command" },
      "critical options not on allowed list: [other]",
    ],
    [{ public_key: "" }, {}, "missing public_key"],
    [{ public_key: "nonsense" }, {}, "failed to parse public_key as SSH key: ssh: no key found"],
    [{ public_key: "ssh-ed25519 AAAA" }, {}, "failed to parse public_key as SSH key: ssh: short read"],
    [
      { public_key: USER.replace("ssh-ed25519 ", "ssh-rsa ") },
      {},
      "failed to parse public_key as SSH key: ssh: key type mismatch",
    ],
    [{ public_key: `${USER}${USER}` }, {}, "failed to parse public_key as SSH key: ssh: no key found"],
    [
      {},
      { allowed_user_key_lengths: { rsa: [2048, 4096] } },
      "public_key failed to meet the key requirements: key of type ssh-ed25519 is not allowed",
    ],
  ])("asked for with %j of a role with %j is refused: %s", async (body, role, text) => {
    await world.write("roles/tried", { ...ROLE, ...role });
    expect(await world.refusal("sign/tried", { public_key: USER, ...body })).toEqual([400, text]);
  });

  test("is not made of a key that is too small", async () => {
    await world.write("roles/sizes", { ...ROLE, allowed_user_key_lengths: { rsa: 4096, ec: "384,521" } });
    const line = readFileSync(world.path("rsa.pub"), "utf8");
    const failed = "public_key failed to meet the key requirements: key is of an invalid size";
    expect((await world.refusal("sign/sizes", { public_key: line }))[1]).toBe(`${failed}: 2048`);
    const small = readFileSync(world.path("p256.pub"), "utf8");
    expect((await world.refusal("sign/sizes", { public_key: small }))[1]).toBe(`${failed}: 256`);
    const { signed_key } = await world.write("sign/sizes", {
      public_key: readFileSync(world.path("p384.pub"), "utf8"),
    });
    expect(signed_key).toBeString();
  });

  test("comes with a new key where that is asked for", async () => {
    for (const [type, bits, form] of [
      ["rsa", 0, "RSA PRIVATE KEY"],
      ["ec", 384, "EC PRIVATE KEY"],
      ["ed25519", 0, "OPENSSH PRIVATE KEY"],
    ] as const) {
      const issued = await world.write("issue/users", { key_type: type, key_bits: bits });
      expect(issued.private_key_type).toBe(type);
      expect(issued.private_key).toStartWith(`-----BEGIN ${form}-----\n`);
      const file = world.path(`issued-${type}`);
      writeFileSync(file, String(issued.private_key), { mode: 0o600 });
      const line = execFileSync("ssh-keygen", ["-y", "-f", file]).toString();
      writeFileSync(`${file}.pub`, line);
      const own = execFileSync("ssh-keygen", ["-l", "-f", `${file}.pub`])
        .toString()
        .split(" ")[1];
      expect(world.show(issued.signed_key ?? "")["Public key"]).toContain(own ?? "nothing");
    }
    expect((await world.refusal("issue/users", { key_type: "dsa" }))[1]).toBe(
      "unknown ssh key pair type: dsa",
    );
    expect((await world.refusal("issue/users", { key_type: "rsa", key_bits: 1000 }))[1]).toBe(
      "invalid ssh key pair size for rsa: 1000",
    );
    expect(await world.refusal("issue/nope")).toEqual([400, "Unknown role: nope"]);
  });
});

describe("the authority", () => {
  const mount = async (): Promise<SshWorld> => {
    const other = await SshWorld.create();
    await other.write("roles/users", ROLE);
    return other;
  };

  test("gives its public key to everybody, and its private key to nobody", async () => {
    const answer = await world.core.core.handle({ method: "GET", path: "ssh/public_key" });
    expect(answer).toMatchObject({ status: 200, body: String(AUTHORITY), contentType: "text/plain" });
    expect(dataOf(await world.core.get("ssh/config/ca"))).toEqual({ public_key: AUTHORITY ?? "" });
    expect(await world.refusal("config/ca")).toEqual([
      400,
      "keys are already configured; delete them before reconfiguring",
    ]);
  });

  test.each([
    ["ca-ed25519", ["-t", "ed25519"], ""],
    ["ca-rsa", ["-t", "rsa", "-b", "2048"], "rsa-sha2-256"],
    ["ca-pem", ["-t", "rsa", "-b", "2048", "-m", "PEM"], "rsa-sha2-512"],
    ["ca-ecdsa", ["-t", "ecdsa", "-b", "521"], ""],
    ["ca-ecdsa-pem", ["-t", "ecdsa", "-b", "256", "-m", "PKCS8"], ""],
  ])("may be one that was made with ssh-keygen: %s", async (name, options, signer) => {
    const other = await mount();
    const public_key = world.keygen(name, ...options);
    const private_key = readFileSync(world.path(name), "utf8");
    await other.write("config/ca", { private_key, public_key });
    await other.write("roles/users", { ...ROLE, algorithm_signer: signer });
    const { signed_key } = await other.write("sign/users", { public_key: USER });
    const shown = world.show(signed_key ?? "");
    const own = execFileSync("ssh-keygen", ["-l", "-f", world.path(`${name}.pub`)])
      .toString()
      .split(" ")[1];
    expect(shown["Signing CA"]).toContain(own ?? "nothing");
    if (signer !== "") expect(shown["Signing CA"]).toContain(`using ${signer}`);
    other.directory.remove();
  });

  test("is not taken by half, from another key, or damaged", async () => {
    const other = await mount();
    const public_key = world.keygen("spare", "-t", "ed25519");
    const private_key = readFileSync(world.path("spare"), "utf8");
    const half =
      "only one of public_key and private_key set; both must be set to use, or both must be blank to auto-generate";
    for (const [body, text] of [
      [{ public_key }, half],
      [{ private_key }, half],
      [
        { private_key, public_key, generate_signing_key: true },
        "public_key and private_key must not be set when generate_signing_key is set to true",
      ],
      [{ generate_signing_key: false }, "missing public_key"],
      [{ private_key, public_key: USER }, "public_key is not the public half of private_key"],
      [{ private_key, public_key: "x" }, "could not parse public_key: ssh: no key found"],
      [
        { private_key: "x", public_key },
        "could not parse private_key: it is no private key in PEM or in OpenSSH's form, or has a passphrase",
      ],
      [{ key_type: "dsa" }, "unknown ssh key pair type: dsa"],
      [{ key_type: "rsa", key_bits: 512 }, "invalid ssh key pair size for rsa: 512"],
    ] as const) {
      expect(await other.refusal("config/ca", body)).toEqual([400, text]);
    }
    execFileSync("ssh-keygen", ["-q", "-p", "-N", "a passphrase", "-f", world.path("spare")]);
    const locked = readFileSync(world.path("spare"), "utf8");
    expect((await other.refusal("config/ca", { private_key: locked, public_key }))[0]).toBe(400);
    expect((await other.core.get("ssh/config/ca")).status).toBe(400);
    expect((await other.core.get("ssh/public_key")).status).toBe(404);
    expect(await other.refusal("sign/users", { public_key: USER })).toEqual([
      400,
      "failed to read CA private key: keys haven't been configured yet",
    ]);
    other.directory.remove();
  });

  test("is deleted, and made anew", async () => {
    const other = await mount();
    const first = await other.write("config/ca", { key_type: "ecdsa-sha2-nistp384" });
    expect(first.public_key).toStartWith("ecdsa-sha2-nistp384 ");
    expect((await other.core.send("DELETE", "ssh/config/ca")).status).toBe(204);
    const second = await other.write("config/ca", { key_type: "ec" });
    expect(second.public_key).toStartWith("ecdsa-sha2-nistp256 ");
    other.directory.remove();
  });
});

describe("templates of a role", () => {
  const ENTITY = "{{identity.entity.metadata.login}}";
  const TEMPLATES = {
    ...ROLE,
    default_user: ENTITY,
    default_user_template: true,
    allowed_users: `${ENTITY},adm-${ENTITY}`,
    allowed_users_template: true,
    default_extensions: { "login@example.com": ENTITY, "permit-pty": "" },
    default_extensions_template: true,
  };

  /** Signs as somebody whose entity says how they log in. */
  async function signAs(login: string | null, body: JsonObject = {}): Promise<ApiResponse> {
    const token = login === null ? undefined : await tokenOf(login);
    const request = { body: { public_key: USER, ...body } };
    return world.core.send(
      "PUT",
      "ssh/sign/templates",
      token === undefined ? request : { ...request, token },
    );
  }

  async function tokenOf(login: string): Promise<string> {
    const { core } = world;
    await core.put("sys/policies/acl/ssh", { policy: 'path "ssh/sign/*" { capabilities = ["update"] }' });
    await core.put("sys/auth/userpass", { type: "userpass" });
    const { "userpass/": mount } = dataOf(await core.get("sys/auth"));
    await core.put("auth/userpass/users/bob", { password: "a password", token_policies: "ssh" });
    const { id } = dataOf(await core.put("identity/entity", { name: "bob", metadata: { login } }));
    await core.put("identity/entity-alias", {
      name: "bob",
      canonical_id: id ?? "",
      mount_accessor: (mount as JsonObject).accessor ?? "",
    });
    const { body } = await core.put("auth/userpass/login/bob", { password: "a password" });
    return (body as { auth: { client_token: string } }).auth.client_token;
  }

  test("are filled with the caller's identity", async () => {
    await world.write("roles/templates", TEMPLATES);
    expect(dataOf(await world.core.get("ssh/roles/templates"))).toMatchObject({
      allowed_users_template: true,
      default_user_template: true,
      default_extensions_template: true,
      allowed_domains_template: false,
    });
    const shown = world.show(dataOf(await signAs("bobby")).signed_key ?? "");
    expect(shown.Principals).toBe("bobby");
    expect(shown.Extensions).toContain("login@example.com");
    const admin = await signAs("bobby", { valid_principals: "adm-bobby" });
    expect(world.show(dataOf(admin).signed_key ?? "").Principals).toBe("adm-bobby");
    expect(errorOf(await signAs("bobby", { valid_principals: "root" }))).toBe(
      "root is not a valid value for valid_principals",
    );
  });

  test.each(["a,root", "*"])("allow nothing where they would become %j", async (login) => {
    await world.write("roles/templates", TEMPLATES);
    expect(errorOf(await signAs(login))).toBe(`template '${ENTITY}' could not be rendered`);
    expect(errorOf(await signAs(login, { valid_principals: "root", extensions: { "permit-pty": "" } }))).toBe(
      "role is not configured to allow any principals",
    );
  });

  test("allow nothing to whom nobody knows", async () => {
    await world.write("roles/templates", TEMPLATES);
    expect(errorOf(await signAs(null))).toBe(`template '${ENTITY}' could not be rendered`);
  });
});

describe("a role", () => {
  test("is shown as it was written, listed with its type, and deleted", async () => {
    await world.write("roles/shown", { ...ROLE, allowed_user_key_lengths: { rsa: "2048,4096" } });
    expect(dataOf(await world.core.get("ssh/roles/shown"))).toMatchObject({
      algorithm_signer: "default",
      allowed_user_key_lengths: { rsa: [2048, 4096] },
      allowed_users: "ubuntu,deploy",
      default_extensions: { "permit-pty": "" },
      key_type: "ca",
      max_ttl: 3600,
      not_before_duration: 30,
      ttl: 1800,
    });
    const list = dataOf(await world.core.send("LIST", "ssh/roles"));
    expect(list.key_info).toMatchObject({ shown: { key_type: "ca" } });
    await world.core.send("DELETE", "ssh/roles/shown");
    expect((await world.core.get("ssh/roles/shown")).status).toBe(404);
  });

  test.each([
    [{}, "missing key type"],
    [{ key_type: "dynamic" }, "dynamic key type roles are no longer supported"],
    [{ key_type: "x" }, "invalid key type"],
    [{ key_type: "otp" }, "missing default user"],
    [{ key_type: "otp", default_user: "u", port: 0 }, "invalid port 0"],
    [
      { key_type: "otp", default_user: "u", cidr_list: "10.0.0.0/33" },
      "failed to validate cidr_list: invalid CIDR address: 10.0.0.0/33",
    ],
    [
      { key_type: "ca" },
      "Either 'allow_user_certificates' or 'allow_host_certificates' must be set to 'true'",
    ],
    [{ ...ROLE, ttl: "2h" }, '"ttl" value must be less than "max_ttl" when both specified'],
    [{ ...ROLE, algorithm_signer: "md5" }, 'unknown algorithm signer "md5"'],
    [
      { key_type: "otp", default_user: "u", allowed_users_template: true },
      "allowed_users_template is for roles of type ca",
    ],
    [
      { ...ROLE, allowed_user_key_lengths: { rsa: "big" } },
      'error processing allowed_user_key_lengths: "rsa" has no list of numbers',
    ],
    [
      { ...ROLE, default_extensions: 7 },
      'Field validation failed: error converting input for field "default_extensions": invalid key pair "7"',
    ],
    [
      { ...ROLE, ttl: "soon" },
      'Field validation failed: error converting input for field "ttl": time: invalid duration "soon"',
    ],
  ])("of %j is refused, and not there", async (body, text) => {
    expect(await world.refusal("roles/refused", body)).toEqual([400, text]);
    expect((await world.core.get("ssh/roles/refused")).status).toBe(404);
  });
});

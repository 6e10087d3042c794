/** A day with AWS: every credential type from its role to its end, by the compiled binary and AWS's own SDKs. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  CreateRoleCommand,
  GetUserPolicyCommand,
  ListAttachedUserPoliciesCommand,
  ListUsersCommand,
} from "@aws-sdk/client-iam";
import { ALLOW_ALL, client, errorNameOf, identityOf, newAdmin } from "../engines/aws/fixture.ts";
import { botocorePython, motoMissing } from "../servers/moto.ts";
import { type AwsServer, type Keys, startAws, TRUST_ALL, WHO_AM_I } from "./aws.ts";
import { World } from "./world.ts";

interface Issued {
  readonly lease_id: string;
  readonly lease_duration: number;
  readonly renewable: boolean;
  readonly data: Keys & { readonly security_token: string | null; readonly arn?: string };
}

/** A policy as a course would publish it. */
const MAY_LIST_USERS = JSON.stringify(
  { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iam:ListUsers", Resource: "*" }] },
  null,
  2,
);

setDefaultTimeout(60_000);
const MISSING = motoMissing();
const TITLE = `a day with AWS${MISSING === undefined ? "" : ` (skipped: ${MISSING})`}`;

describe.skipIf(MISSING !== undefined)(TITLE, () => {
  const world = new World();
  let aws: AwsServer;
  beforeAll(async () => {
    aws = await startAws({ awsPolicies: true });
  });
  afterAll(async () => {
    await aws?.moto.stop();
    await world.close();
  });

  const users = async (role = ""): Promise<string[]> => {
    const { Users: found = [] } = await aws.iam.send(new ListUsersCommand({ MaxItems: 1000 }));
    return found.flatMap(({ UserName: name = "" }) => (name.startsWith(`vault-root-${role}`) ? [name] : []));
  };
  /** An identity that AWS gives to these keys, or the name of its refusal. */
  const who = (data: Issued["data"]): Promise<string> => {
    const asked = identityOf(aws, { ...data });
    return asked.catch(() => errorNameOf(asked));
  };

  test("the engine is enabled, says what it does, and is given its root keys", async () => {
    await world.ok("operator init -seal=key-file");
    expect(await world.ok("secrets enable aws")).toBe("Success! Enabled the aws secrets engine at: aws/\n");
    const help = await world.ok("path-help aws");
    for (const path of ["config/root", "config/rotate-root", "roles/", "creds/", "sts/", "static-roles/"])
      expect(help).toContain(path);
    const roles = await world.ok("path-help aws/roles/any");
    for (const parameter of [
      "credential_type",
      "iam_groups",
      "permissions_boundary_arn",
      "mfa_serial_number",
    ])
      expect(roles).toContain(parameter);

    const { access_key, secret_key } = aws.admin;
    const { url } = aws.moto;
    const config = `access_key=${access_key} secret_key=- region=us-east-1 iam_endpoint=${url} sts_endpoint=${url}`;
    expect(await world.ok(`write aws/config/root ${config}`, { stdin: secret_key })).toBe(
      "Success! Data written to: aws/config/root\n",
    );
    expect(await world.ok("read aws/config/root")).not.toContain(secret_key);
  });

  test("the root key is replaced by one that nobody else knows, and the old one is refused", async () => {
    const { data } = await world.json<{ data: { access_key: string } }>(
      "write -force aws/config/rotate-root",
    );
    expect(data.access_key).not.toBe(aws.admin.access_key);
    expect(await who({ ...aws.admin, security_token: null })).toBe("InvalidClientTokenId");
    // The test goes on as another administrator.
    await aws.moto.requireNothing();
    const admin = await newAdmin(client(aws.moto.url, { access_key: "test", secret_key: "test" }), "second");
    await aws.moto.requireKeys();
    aws = { ...aws, admin, iam: client(aws.moto.url, admin) };
  });

  test("a user may do what its inline policy says, and is gone with its lease", async () => {
    await world.ok("write aws/config/lease lease=1h lease_max=24h");
    const role = "write aws/roles/s3-readonly credential_type=iam_user policy_document=-";
    await world.ok(role, { stdin: MAY_LIST_USERS });
    const issued = await world.json<Issued>("read -wait aws/creds/s3-readonly");
    expect(issued).toMatchObject({ lease_duration: 3600, renewable: true, data: { security_token: null } });
    const own = client(aws.moto.url, issued.data);
    expect((await own.send(new ListUsersCommand({}))).Users?.length).toBeGreaterThan(0);
    const [UserName = ""] = await users("s3-readonly");
    const forbidden = own.send(new GetUserPolicyCommand({ UserName, PolicyName: "s3-readonly" }));
    expect(await errorNameOf(forbidden)).toBe("AccessDenied");

    expect(await world.ok(`lease renew ${issued.lease_id}`)).toMatch(/lease_duration +1h/);
    // By what AWS calls it, its lease is found: who has an id from a log can end what it stands for.
    for (const name of [UserName, issued.data.access_key])
      expect(await world.ok(`lease lookup ${name}`)).toContain(issued.lease_id);
    await world.ok(`lease revoke ${issued.lease_id}`);
    expect(await users("s3-readonly")).toEqual([]);
    expect(await who(issued.data)).toBe("InvalidClientTokenId");
  });

  test("users with a managed policy are revoked by prefix", async () => {
    const arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    await world.ok(`write aws/roles/vaultadvanced credential_type=iam_user policy_arns=${arn}`);
    const issued = await Promise.all(
      Array.from({ length: 3 }, () => world.json<Issued>("read aws/creds/vaultadvanced")),
    );
    const [UserName = "", ...others] = await users("vaultadvanced");
    expect(others).toHaveLength(2);
    const { AttachedPolicies: attached } = await aws.iam.send(
      new ListAttachedUserPoliciesCommand({ UserName }),
    );
    expect(attached?.map(({ PolicyArn }) => PolicyArn)).toEqual([arn]);
    for (const { data } of issued) expect(await who(data)).toContain("user/vault-root-vaultadvanced-");
    await world.ok("lease revoke -prefix aws/creds/vaultadvanced");
    expect(await users("vaultadvanced")).toEqual([]);
    for (const { data } of issued) expect(await who(data)).toBe("InvalidClientTokenId");
  });

  test("the older forms of published courses are taken, with a warning", async () => {
    world.file("support-policy.json", MAY_LIST_USERS);
    const written = await world.run("write aws/roles/support policy=@support-policy.json");
    expect(written.code).toBe(0);
    expect(written.stdout + written.stderr).toContain("Detected use of legacy role or policy parameter.");
    const { data, lease_id } = await world.json<Issued>("read aws/creds/support");
    expect(await who(data)).toContain("user/vault-root-support-");
    await world.ok(`lease revoke ${lease_id}`);
    expect(await who(data)).toBe("InvalidClientTokenId");

    await world.ok("write aws/roles/course arn=arn:aws:iam::aws:policy/IAMReadOnlyAccess");
    const course = await world.json<Issued>("read aws/creds/course");
    await client(aws.moto.url, course.data).send(new ListUsersCommand({}));
    await world.ok(`lease revoke ${course.lease_id}`);
    expect(await users("course")).toEqual([]);
  });

  const tokens = [
    { type: "assumed_role", name: "deploy", identity: "assumed-role/deploy/" },
    { type: "federation_token", name: "fed", identity: "federated-user/" },
    { type: "session_token", name: "session", identity: "" },
  ];
  test.each(tokens)(
    "a token of the type $type lives as long as its lease",
    async ({ type, name, identity }) => {
      await aws.iam
        .send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: TRUST_ALL }))
        .catch(() => undefined);
      const terms: Readonly<Record<string, string>> = {
        assumed_role: `role_arns=arn:aws:iam::123456789012:role/${name}`,
        federation_token: "policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess",
        session_token: "",
      };
      await world.ok(`write aws/roles/${name} credential_type=${type} ${terms[type]}`);
      const issued = await world.json<Issued>(`read aws/sts/${name} ttl=15m`);
      expect(issued).toMatchObject({ lease_duration: 900, renewable: false });
      expect(issued.data.security_token).not.toBeNull();
      // Of the three the emulator knows the keys of an assumed role alone.
      if (type === "assumed_role") expect(await who(issued.data)).toContain(identity);
      const renewal = await world.run(`lease renew ${issued.lease_id}`);
      expect(renewal.code).toBe(2);
      expect(renewal.stderr).toContain("lease is not renewable");
      await world.ok(`lease revoke ${issued.lease_id}`);
      expect((await world.run(`lease lookup ${issued.lease_id}`)).code).toBe(2);
      // Nobody can end a token but time, which docs/aws.md says.
      if (type === "assumed_role") expect(await who(issued.data)).toContain(identity);
    },
  );

  test("AWS's own SDK takes credentials from credential-process", async () => {
    await world.ok("write aws/roles/cli credential_type=iam_user policy_document=-", { stdin: ALLOW_ALL });
    const process = `credential_process = ${world.binary} aws credential-process -non-interactive cli`;
    const file = world.file("aws-config", `[profile cli]\n${process}\n`);
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: world.home,
      VSEC_STORE: world.store,
      AWS_PROFILE: "cli",
      AWS_CONFIG_FILE: `${world.home}/${file}`,
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    };
    const run = promisify(execFile);
    const ask = async (): Promise<string> => {
      const { stdout } = await run(botocorePython(), ["-c", WHO_AM_I, aws.moto.url], { env });
      return stdout.trim();
    };
    const first = await ask();
    expect(first).toContain("user/vault-root-cli-");
    expect(await ask()).toBe(first);
    expect(await users("cli")).toHaveLength(1);
    await world.ok("lease revoke -prefix aws/credential-process/cli");
    expect(await users("cli")).toEqual([]);
    expect(await ask()).not.toBe(first);
  });

  test("no key that was configured or issued can be read in the store's files", async () => {
    const { data } = await world.json<Issued>("read aws/creds/s3-readonly");
    const secrets = [aws.admin.access_key, data.access_key, data.secret_key, "s3-readonly", "iam:ListUsers"];
    for (const name of readdirSync(world.store)) {
      const content = readFileSync(join(world.store, name), "latin1");
      expect(secrets.filter((secret) => content.includes(secret))).toEqual([]);
    }
  });

  test("what the engine has made goes with it", async () => {
    await world.ok("read aws/creds/s3-readonly");
    await world.ok("secrets disable aws");
    expect(await users()).toEqual([]);
  });
});

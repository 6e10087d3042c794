import { expect, test } from "bun:test";
import {
  AttachGroupPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GetUserPolicyCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListUserTagsCommand,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import type { JsonObject } from "../../../src/base/json.ts";
import { ALLOW_ALL, engineUsers, errorNameOf, identityOf, withAws, worldOn } from "./fixture.ts";
import { refusalOf } from "./world.ts";

withAws("AWS credentials", (aws) => {
  test("a user has what its role says, its keys work, and it is gone when its lease is revoked", async () => {
    const { iam } = aws();
    const world = await worldOn(aws());
    await iam.send(new CreateGroupCommand({ GroupName: "readers" }));
    const { Policy: policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: "managed", PolicyDocument: ALLOW_ALL }),
    );
    const arn = policy?.Arn ?? "";
    await world.must("aws/config/lease", { lease: "1h", lease_max: "24h" });
    await world.must("aws/roles/full", {
      credential_type: "iam_user",
      policy_document: ALLOW_ALL,
      policy_arns: arn,
      iam_groups: "readers",
      iam_tags: ["team=blue", "cost=7"],
      user_path: "/vsec/",
      permissions_boundary_arn: arn,
    });
    // The emulator takes a boundary and never shows it.
    const seen: (string | null)[] = [];
    aws().proxy.rule = ({ action, params }) => {
      if (action === "CreateUser") seen.push(params.get("PermissionsBoundary"));
      return undefined;
    };
    const { data, leaseId, leaseSeconds, renewable } = await world.issue("aws/creds/full");
    expect({ leaseSeconds, renewable, token: data.security_token }).toEqual({
      leaseSeconds: 3600,
      renewable: true,
      token: null,
    });
    const [UserName = ""] = await engineUsers(aws());
    expect(UserName).toMatch(/^vault-root-full-\d{10}-\w{20}$/);
    expect(await identityOf(aws(), data)).toContain(`user/vsec/${UserName}`);
    expect(seen).toEqual([arn]);
    const inline = await iam.send(new GetUserPolicyCommand({ UserName, PolicyName: "full" }));
    expect(JSON.parse(decodeURIComponent(inline.PolicyDocument ?? ""))).toEqual(JSON.parse(ALLOW_ALL));
    const attached = await iam.send(new ListAttachedUserPoliciesCommand({ UserName }));
    expect(attached.AttachedPolicies?.map(({ PolicyArn }) => PolicyArn)).toEqual([arn]);
    const groups = await iam.send(new ListGroupsForUserCommand({ UserName }));
    expect(groups.Groups?.map(({ GroupName }) => GroupName)).toEqual(["readers"]);
    const { Tags: tags } = await iam.send(new ListUserTagsCommand({ UserName }));
    expect(tags).toEqual([
      { Key: "team", Value: "blue" },
      { Key: "cost", Value: "7" },
    ]);
    expect(aws().proxy.actions.at(-1)).toBe("CreateAccessKey");

    await world.must("sys/leases/revoke", { lease_id: leaseId });
    expect(await engineUsers(aws())).toEqual([]);
    expect(await errorNameOf(identityOf(aws(), data))).toBe("InvalidClientTokenId");
    await world.must("sys/leases/revoke", { lease_id: leaseId });
    await world.close();
  });

  test("a renewal goes by config/lease as it is now", async () => {
    const world = await worldOn(aws());
    await world.must("aws/roles/r", { credential_type: "iam_user", policy_document: ALLOW_ALL });
    await world.must("aws/config/lease", { lease: "10m", lease_max: "1h" });
    const { leaseId } = await world.issue("aws/creds/r");
    await world.must("aws/config/lease", { lease: "30m", lease_max: "1h" });
    const renewed = await world.write("sys/leases/renew", { lease_id: leaseId });
    expect(renewed.body).toMatchObject({ lease_duration: 1800 });
    await world.must("sys/leases/revoke", { lease_id: leaseId });
    await world.close();
  });

  test("with wait, keys are answered after AWS took them five times in a row", async () => {
    const world = await worldOn(aws());
    await world.must("aws/roles/w", { credential_type: "iam_user", policy_document: ALLOW_ALL });
    const { proxy } = aws();
    // The third look meets a server that has not heard of the key.
    proxy.rule = ({ action, nth }) =>
      action === "GetCallerIdentity" && nth === 3 ? { code: "InvalidClientTokenId", status: 403 } : undefined;
    const { data, leaseId } = await world.issue("aws/creds/w", { wait: true });
    // Each look is over a connection of its own, so that it may meet another server.
    expect(proxy.connections.size).toBeGreaterThanOrEqual(8);
    expect(proxy.actions.filter((action) => action === "GetCallerIdentity")).toHaveLength(8);
    expect(await identityOf(aws(), data)).toContain("user/vault-");
    await world.must("sys/leases/revoke", { lease_id: leaseId });

    proxy.rule = ({ action }) =>
      action === "GetCallerIdentity" ? { code: "InvalidClientTokenId", status: 403 } : undefined;
    expect((await world.read("aws/creds/w", { wait: true })).status).toBe(500);
    await world.settle();
    expect(await engineUsers(aws())).toEqual([]);
    await world.close();
  });

  test("an assumed role's token works; its lease cannot be renewed, and ends with the token", async () => {
    const { iam } = aws();
    const world = await worldOn(aws());
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
    });
    const { Role: role } = await iam.send(
      new CreateRoleCommand({ RoleName: "deployer", AssumeRolePolicyDocument: trust }),
    );
    const arn = role?.Arn ?? "";
    await world.must("aws/roles/deploy", {
      credential_type: "assumed_role",
      role_arns: [arn, "arn:aws:iam::123456789012:role/other"],
      external_id: "x7",
      session_tags: { team: "blue" },
    });
    let asked: Record<string, string> = {};
    aws().proxy.rule = ({ action, params }) => {
      if (action === "AssumeRole") asked = Object.fromEntries(params);
      return undefined;
    };
    expect(refusalOf(await world.read("aws/sts/deploy"))).toEqual({
      status: 400,
      text: "did not supply a role_arn parameter and unable to determine one",
    });
    expect(
      refusalOf(await world.read("aws/sts/deploy", { role_arn: "arn:aws:iam::123456789012:role/x" })),
    ).toEqual({
      status: 400,
      text: 'role_arn "arn:aws:iam::123456789012:role/x" not in allowed role arns for Vault role "deploy"',
    });
    const query = { role_arn: arn, ttl: "15m", role_session_name: "ci job/7" };
    const { data, leaseSeconds, renewable, leaseId } = await world.issue("aws/sts/deploy", query);
    expect({ leaseSeconds, renewable }).toEqual({ leaseSeconds: 900, renewable: false });
    expect(asked).toMatchObject({
      RoleSessionName: "ci_job_7",
      DurationSeconds: "900",
      ExternalId: "x7",
      "Tags.member.1.Key": "team",
    });
    expect(data.session_token).toBe(data.security_token ?? "");
    expect(Number(data.ttl)).toBeGreaterThan(880);
    expect(String(data.arn)).toContain("assumed-role/deployer/ci_job_7");
    expect(await identityOf(aws(), data)).toBe(String(data.arn));
    await world.must("sys/leases/revoke", { lease_id: leaseId });
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test("a federation token carries the policies of its role's groups, merged into one", async () => {
    const { iam } = aws();
    const world = await worldOn(aws());
    const statement = (sid: string) => ({ Sid: sid, Effect: "Allow", Action: "s3:*", Resource: "*" });
    const document = (sid: string) => JSON.stringify({ Version: "2012-10-17", Statement: statement(sid) });
    await iam.send(new CreateGroupCommand({ GroupName: "fed" }));
    await iam.send(
      new PutGroupPolicyCommand({ GroupName: "fed", PolicyName: "p", PolicyDocument: document("group") }),
    );
    const { Policy: policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: "fed", PolicyDocument: ALLOW_ALL }),
    );
    await iam.send(new AttachGroupPolicyCommand({ GroupName: "fed", PolicyArn: policy?.Arn ?? "" }));
    let asked: Record<string, string> = {};
    aws().proxy.rule = ({ action, params }) => {
      if (action === "GetFederationToken") asked = Object.fromEntries(params);
      return undefined;
    };
    await world.must("aws/roles/fed", {
      credential_type: "federation_token",
      policy_document: document("own"),
      iam_groups: "fed",
      default_sts_ttl: "20m",
      max_sts_ttl: "30m",
    });
    const { data, leaseSeconds } = await world.issue("aws/creds/fed", { ttl: "2h" });
    expect(leaseSeconds).toBe(1800);
    expect(String(data.access_key)).not.toBe("");
    expect(JSON.parse(asked.Policy ?? "")).toEqual({
      Version: "2012-10-17",
      Statement: [statement("own"), statement("group")],
    });
    expect(asked["PolicyArns.member.1.arn"]).toBe(policy?.Arn ?? "");
    expect(asked.Name).toMatch(/^vault-\d{10}-\w{15}$/);

    await world.must("aws/roles/bare", { credential_type: "federation_token" });
    expect(refusalOf(await world.read("aws/creds/bare")).text).toContain(
      "must specify at least one of policy_arns",
    );
    await world.close();
  });

  test("a session token is asked for with the MFA device and the caller's code", async () => {
    const world = await worldOn(aws());
    let asked: Record<string, string> = {};
    aws().proxy.rule = ({ action, params }) => {
      if (action === "GetSessionToken") asked = Object.fromEntries(params);
      return undefined;
    };
    const mfa = "arn:aws:iam::123456789012:mfa/me";
    await world.must("aws/roles/mfa", { credential_type: "session_token", mfa_serial_number: mfa });
    const data = await world.must("aws/sts/mfa", { mfa_code: "123456", ttl: 1000 });
    expect(asked).toMatchObject({ SerialNumber: mfa, TokenCode: "123456", DurationSeconds: "1000" });
    expect(Object.keys(data).sort()).toEqual([
      "access_key",
      "secret_key",
      "security_token",
      "session_token",
      "ttl",
    ]);
    await world.close();
  });

  test("a legacy role made from a policy gives users at creds and tokens at sts", async () => {
    const world = await worldOn(aws());
    const written = await world.write("aws/roles/old", { policy: ALLOW_ALL });
    expect(written.body).toMatchObject({
      warnings: [
        "Detected use of legacy role or policy parameter. Please upgrade to use the new parameters.",
      ],
    });
    expect(await world.read("aws/roles/old")).toMatchObject({
      body: { data: { credential_type: "iam_user,federation_token", policy_document: ALLOW_ALL } },
    });
    const user = await world.issue("aws/creds/old");
    expect(await identityOf(aws(), user.data)).toContain("user/vault-");
    const token = await world.issue("aws/sts/old");
    expect(token.data.security_token).not.toBeNull();
    await world.must("aws/roles/oldarn", { arn: "arn:aws:iam::123456789012:role/x" });
    expect(refusalOf(await world.read("aws/creds/oldarn")).text).toBe(
      "attempted to retrieve assumed_role credentials through the creds path; this is not allowed for legacy roles",
    );
    await world.must("sys/leases/revoke", { lease_id: user.leaseId });
    await world.close();
  });

  test.each(["500", "throttle", "lose-answer", "hang-after"] as const)(
    "a passing fault of STS (%s) is met by trying again, and a lasting one leaves no lease",
    async (fault) => {
      const world = await worldOn(aws());
      await world.must("aws/roles/s", { credential_type: "session_token" });
      aws().proxy.rule = ({ nth }) => (nth === 1 ? fault : undefined);
      const { leaseId } = await world.issue("aws/sts/s");
      await world.must("sys/leases/revoke", { lease_id: leaseId });
      await world.must("aws/config/root", { max_retries: 0 });
      aws().proxy.rule = () => fault;
      const { status } = await world.read("aws/sts/s");
      expect(status).toBe(fault === "throttle" ? 502 : 400);
      await world.settle();
      expect(await world.leases()).toEqual([]);
      await world.close();
    },
  );

  test("a role_arn that cannot be assumed is said, and leaves no lease", async () => {
    const world = await worldOn(aws(), { role_arn: "arn:aws:iam::123456789012:role/denied" });
    await world.must("aws/roles/u", { credential_type: "iam_user", policy_document: ALLOW_ALL });
    aws().proxy.rule = ({ action }) =>
      action === "AssumeRole" ? { code: "AccessDenied", status: 403 } : undefined;
    expect(refusalOf(await world.read("aws/creds/u"))).toEqual({
      status: 400,
      text: "Error creating IAM user: AccessDenied: refused by the test",
    });
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test("with a role_arn in config/root everything is done as that role", async () => {
    const { iam } = aws();
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
    });
    const made = await Promise.all(
      ["hub", "spoke"].map((RoleName) =>
        iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust })),
      ),
    );
    const [hub = "", spoke = ""] = made.map(({ Role: role }) => role?.Arn ?? "");
    await iam.send(
      new PutRolePolicyCommand({ RoleName: "hub", PolicyName: "all", PolicyDocument: ALLOW_ALL }),
    );
    const world = await worldOn(aws(), { role_arn: hub });
    const assumed: string[] = [];
    aws().proxy.rule = ({ action, params }) => {
      if (action === "AssumeRole") assumed.push(params.get("RoleArn") ?? "");
      return undefined;
    };
    await world.must("aws/roles/u", { credential_type: "iam_user", policy_document: ALLOW_ALL });
    const user = await world.issue("aws/creds/u");
    expect(await identityOf(aws(), user.data)).toContain("user/vault-");
    await world.must("aws/roles/t", { credential_type: "assumed_role", role_arns: spoke });
    const token = await world.issue("aws/sts/t");
    expect(String(token.data.arn)).toContain("assumed-role/spoke/");
    expect(assumed).toEqual([hub, hub, spoke]);
    await world.must("sys/leases/revoke", { lease_id: user.leaseId });
    expect(await engineUsers(aws())).toEqual([]);
    await world.close();
  });

  test("STS falls back to the next endpoint when the first cannot be reached", async () => {
    const world = await worldOn(aws(), {
      sts_endpoint: "http://127.0.0.1:9",
      sts_fallback_endpoints: aws().proxy.url,
      sts_fallback_regions: "us-east-1",
      max_retries: 0,
    });
    await world.must("aws/roles/s", { credential_type: "session_token" });
    expect((await world.read("aws/sts/s")).status).toBe(200);
    await world.close();
  });

  test("the same credentials are given to credential-process until shortly before their end or their lease's", async () => {
    const world = await worldOn(aws());
    await world.must("aws/roles/cp", { credential_type: "session_token" });
    const first = await world.issue("aws/credential-process/cp", { ttl: "1h" });
    const again = await world.issue("aws/credential-process/cp", { ttl: "1h" });
    expect(again.data).toEqual(first.data);
    expect(Object.keys(first.data).sort()).toEqual([
      "access_key",
      "expiration",
      "secret_key",
      "session_token",
    ]);
    world.advance(3600 - 5 * 60);
    const late = await world.issue("aws/credential-process/cp", { ttl: "1h" });
    // The emulator gives the same keys to everybody; what differs is when they end.
    expect(late.leaseId).not.toBe("");
    expect(late.data.expiration).not.toBe(first.data.expiration ?? "");

    await world.must("aws/config/lease", { lease: "1h", lease_max: "2h" });
    await world.must("aws/roles/cpu", { credential_type: "iam_user", policy_document: ALLOW_ALL });
    const user = await world.issue("aws/credential-process/cpu");
    expect((await world.issue("aws/credential-process/cpu")).data).toEqual(user.data);
    await world.must("sys/leases/revoke", { lease_id: user.leaseId });
    const next = await world.issue("aws/credential-process/cpu");
    expect(await identityOf(aws(), next.data)).toContain("user/vault-");
    await world.must("sys/leases/revoke", { lease_id: next.leaseId });
    await world.close();
  });

  test("credential-process gives each token its own credentials, and none whose lease was revoked", async () => {
    const world = await worldOn(aws());
    await world.must("aws/roles/own", { credential_type: "iam_user", policy_document: ALLOW_ALL });
    await world.must("aws/roles/sts", { credential_type: "session_token" });
    const tokens: string[] = [];
    for (const _ of ["first", "second"]) {
      const { body } = await world.write("auth/token/create", { policies: ["root"] });
      tokens.push((body as { auth: { client_token: string } }).auth.client_token);
    }
    const ask = async (token: string | undefined, role: string) => {
      const path = `aws/credential-process/${role}`;
      const { body } = await world.core.handle({ method: "GET", path, token: token ?? "" });
      return body as { data: JsonObject; lease_id: string };
    };
    const [first, second] = tokens;
    const one = await ask(first, "own");
    const other = await ask(second, "own");
    expect(other.data.access_key).not.toBe(one.data.access_key ?? "");
    await world.must("auth/token/revoke", { token: first ?? "" });
    expect(await errorNameOf(identityOf(aws(), one.data))).toBe("InvalidClientTokenId");
    expect((await ask(second, "own")).data).toEqual(other.data);

    const token = await ask(second, "sts");
    expect((await ask(second, "sts")).lease_id).toBe("");
    await world.must("sys/leases/revoke", { lease_id: token.lease_id });
    expect((await ask(second, "sts")).lease_id).not.toBe("");
    await world.must("auth/token/revoke", { token: second ?? "" });
    expect(await engineUsers(aws())).toEqual([]);
    await world.close();
  });
});

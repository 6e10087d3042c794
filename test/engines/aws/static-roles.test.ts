import { expect, test } from "bun:test";
import {
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { ALLOW_ALL, errorNameOf, identityOf, withAws, worldOn } from "./fixture.ts";
import { dataOf, refusalOf } from "./world.ts";

const QUARTER_HOUR = 900;
const TRUST_ALL = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
});

withAws("Static AWS roles", (aws) => {
  const keysOf = async (UserName: string, iam: IAMClient = aws().iam): Promise<string[]> => {
    const { AccessKeyMetadata: keys = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
    return keys.map(({ AccessKeyId: id }) => id ?? "");
  };

  test("a static role gives a user's key and replaces it, keeping the one before for a period", async () => {
    const { iam } = aws();
    const world = await worldOn(aws());
    await iam.send(new CreateUserCommand({ UserName: "app" }));
    const made = await world.must("aws/static-roles/app", { username: "app", rotation_period: "1h" });
    expect(made).toMatchObject({ name: "app", username: "app", rotation_period: 3600 });
    const first = await world.issue("aws/static-creds/app");
    expect(await identityOf(aws(), first.data)).toContain("user/app");
    world.advance(3601);
    await world.daemon();
    const second = await world.issue("aws/static-creds/app");
    expect(second.data.access_key).not.toBe(first.data.access_key ?? "");
    expect((await keysOf("app")).sort()).toEqual(
      [String(first.data.access_key), String(second.data.access_key)].sort(),
    );
    world.advance(3601);
    await world.daemon();
    expect(await keysOf("app")).not.toContain(String(first.data.access_key));
    expect(await world.send("LIST", "aws/static-roles")).toMatchObject({ body: { data: { keys: ["app"] } } });
    const third = await world.issue("aws/static-creds/app");
    dataOf(await world.send("DELETE", "aws/static-roles/app"), "delete");
    expect(await keysOf("app")).toEqual([String(second.data.access_key)]);
    expect(await errorNameOf(identityOf(aws(), third.data))).toBe("InvalidClientTokenId");
    await world.close();
  });

  test("a key whose rotation is overdue is replaced before it is shown, and where that fails it is said", async () => {
    const { iam, proxy } = aws();
    const world = await worldOn(aws());
    await iam.send(new CreateUserCommand({ UserName: "late" }));
    await world.must("aws/static-roles/late", { username: "late", rotation_period: "1h" });
    const first = await world.issue("aws/static-creds/late");
    world.advance(3601);
    const second = await world.issue("aws/static-creds/late");
    expect(second.data.access_key).not.toBe(first.data.access_key ?? "");
    expect((await world.issue("aws/static-creds/late")).data).toEqual(second.data);
    world.advance(3601);
    proxy.reset();
    proxy.rule = ({ action }) => (action === "GetUser" ? { code: "AccessDenied", status: 403 } : undefined);
    const kept = await world.read("aws/static-creds/late");
    proxy.reset();
    expect(kept.body).toMatchObject({
      data: { access_key: second.data.access_key ?? "" },
      warnings: [expect.stringContaining("the rotation that is due failed, and is retried")],
    });
    await world.close();
  });

  test("a static rotation that dies after the key was made leaves no key that nobody knows", async () => {
    const { iam, proxy } = aws();
    const world = await worldOn(aws());
    await iam.send(new CreateUserCommand({ UserName: "svc" }));
    await world.must("aws/static-roles/svc", { username: "svc", rotation_period: "1h" });
    const first = await world.issue("aws/static-creds/svc");
    world.advance(3601);
    proxy.rule = ({ action }) => {
      if (action !== "CreateAccessKey") return undefined;
      world.die();
      return "lose-answer";
    };
    await world.daemon().catch(() => undefined);
    proxy.reset();
    const during = await world.issue("aws/static-creds/svc");
    expect(during.data.access_key).toBe(first.data.access_key ?? "");
    world.advance(QUARTER_HOUR);
    await world.daemon();
    const next = await world.issue("aws/static-creds/svc");
    expect((await keysOf("svc")).sort()).toEqual(
      [String(first.data.access_key), String(next.data.access_key)].sort(),
    );
    expect(await identityOf(aws(), next.data)).toContain("user/svc");
    await world.close();
  });

  test("a static role for a user that is not there is refused, and none is made", async () => {
    const world = await worldOn(aws());
    const body = { username: "nobody", rotation_period: "1h" };
    expect(refusalOf(await world.write("aws/static-roles/x", body)).text).toContain(
      'unable to validate username "nobody": NoSuchEntity',
    );
    expect((await world.read("aws/static-roles/x")).status).toBe(404);
    await world.close();
  });

  test("another user who got the name of a static role's user gets no key", async () => {
    const { iam } = aws();
    const world = await worldOn(aws());
    await iam.send(new CreateUserCommand({ UserName: "twin" }));
    await world.must("aws/static-roles/twin", { username: "twin", rotation_period: "1h" });
    await iam.send(new DeleteUserCommand({ UserName: "twin" }));
    await iam.send(new CreateUserCommand({ UserName: "twin" }));
    world.advance(3601);
    expect((await world.daemon()).failed).toBe(1);
    expect(await keysOf("twin")).toEqual([]);
    await world.close();
  });

  test("a static key whose secret never came is deleted, and the next rotation gives one", async () => {
    const { iam, proxy } = aws();
    const world = await worldOn(aws());
    await iam.send(new CreateUserCommand({ UserName: "lost" }));
    await world.must("aws/static-roles/lost", { username: "lost", rotation_period: "1h" });
    const first = await world.issue("aws/static-creds/lost");
    world.advance(3601);
    proxy.reset();
    // The second attempt meets AWS's limit of two keys.
    proxy.rule = ({ action, nth }) => (action === "CreateAccessKey" && nth === 1 ? "lose-answer" : undefined);
    expect((await world.daemon()).failed).toBe(1);
    expect((await world.issue("aws/static-creds/lost")).data).toMatchObject({
      access_key: first.data.access_key ?? "",
    });
    world.advance(QUARTER_HOUR);
    await world.daemon();
    const next = await world.issue("aws/static-creds/lost");
    expect((await keysOf("lost")).sort()).toEqual(
      [String(first.data.access_key), String(next.data.access_key)].sort(),
    );
    await world.close();
  });

  test("another period counts from the last rotation on", async () => {
    const { iam } = aws();
    const world = await worldOn(aws());
    await iam.send(new CreateUserCommand({ UserName: "paced" }));
    await world.must("aws/static-roles/paced", { username: "paced", rotation_period: "24h" });
    const first = await world.issue("aws/static-creds/paced");
    await world.must("aws/static-roles/paced", { rotation_period: "1h" });
    expect((await world.issue("aws/static-creds/paced")).data.access_key).toBe(first.data.access_key ?? "");
    world.advance(3500);
    await world.daemon();
    expect((await world.issue("aws/static-creds/paced")).data.access_key).toBe(first.data.access_key ?? "");
    world.advance(200);
    await world.daemon();
    expect((await world.issue("aws/static-creds/paced")).data.access_key).not.toBe(
      first.data.access_key ?? "",
    );
    await world.close();
  });

  /** A client that works as a role of another account, which it makes there. */
  async function otherAccount(account: string): Promise<{ arn: string; iam: IAMClient }> {
    const { moto, admin } = aws();
    const region = "us-east-1";
    const arn = `arn:aws:iam::${account}:role/keeper`;
    const credentials = { accessKeyId: admin.access_key, secretAccessKey: admin.secret_key };
    const sts = new STSClient({ endpoint: moto.url, region, credentials });
    const { Credentials: session } = await sts.send(
      new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: "setup" }),
    );
    const own = {
      accessKeyId: session?.AccessKeyId ?? "",
      secretAccessKey: session?.SecretAccessKey ?? "",
      sessionToken: session?.SessionToken ?? "",
    };
    const iam = new IAMClient({ endpoint: moto.url, region, credentials: own });
    // The emulator looks for the role's rights, and there is nobody yet who might make the role.
    await moto.requireNothing();
    await iam.send(new CreateRoleCommand({ RoleName: "keeper", AssumeRolePolicyDocument: TRUST_ALL }));
    await iam.send(
      new PutRolePolicyCommand({ RoleName: "keeper", PolicyName: "all", PolicyDocument: ALLOW_ALL }),
    );
    await moto.requireKeys();
    return { arn, iam };
  }

  test("a user of another account is reached through a role there", async () => {
    const other = await otherAccount("111122223333");
    await other.iam.send(new CreateUserCommand({ UserName: "far" }));
    const world = await worldOn(aws());
    const asked: Record<string, string>[] = [];
    aws().proxy.rule = ({ action, params }) => {
      if (action === "AssumeRole") asked.push(Object.fromEntries(params));
      return undefined;
    };
    const terms = { username: "far", rotation_period: "1h" };
    expect(refusalOf(await world.write("aws/static-roles/far", terms)).text).toContain(
      'unable to validate username "far": NoSuchEntity',
    );
    const role = { assume_role_arn: other.arn, assume_role_session_name: "rotator", external_id: "x9" };
    expect(await world.must("aws/static-roles/far", { ...terms, ...role })).toMatchObject(role);
    expect(asked[0]).toMatchObject({ RoleArn: other.arn, RoleSessionName: "rotator", ExternalId: "x9" });
    const first = await world.issue("aws/static-creds/far");
    expect(await keysOf("far", other.iam)).toEqual([String(first.data.access_key)]);
    world.advance(3601);
    await world.daemon();
    const second = await world.issue("aws/static-creds/far");
    expect(second.data.access_key).not.toBe(first.data.access_key ?? "");
    expect(await keysOf("far", other.iam)).toContain(String(second.data.access_key));
    // Without the role the name leads to nobody, and the change is refused.
    const { text } = refusalOf(await world.write("aws/static-roles/far", { assume_role_arn: "" }));
    expect(text).toContain('unable to validate username "far"');
    dataOf(await world.send("DELETE", "aws/static-roles/far"), "delete");
    expect(await keysOf("far", other.iam)).toEqual([String(first.data.access_key)]);
    await world.close();
  });
});

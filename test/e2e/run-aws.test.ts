/** `vsec run -aws`, with AWS's own SDK for Python as the command, which finds its keys as the AWS command line does. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CreateRoleCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import { ALLOW_ALL } from "../engines/aws/fixture.ts";
import { botocorePython, motoMissing } from "../servers/moto.ts";
import { until } from "../servers/process.ts";
import { type AwsServer, initAws, startAws, TRUST_ALL, WHO_AM_I } from "./aws.ts";
import { World } from "./world.ts";

setDefaultTimeout(60_000);
const MISSING = motoMissing();
const TITLE = `vsec run -aws${MISSING === undefined ? "" : ` (skipped: ${MISSING})`}`;
/** What a shell may hold that belongs to somebody else. */
const STANDING = { AWS_PROFILE: "standing", AWS_SESSION_TOKEN: "stale", AWS_SECURITY_TOKEN: "stale" };

describe.skipIf(MISSING !== undefined)(TITLE, () => {
  const world = new World();
  let aws: AwsServer;
  beforeAll(async () => {
    aws = await startAws();
    await initAws(world, aws);
    await world.ok("write aws/roles/cli credential_type=iam_user policy_document=-", { stdin: ALLOW_ALL });
    await aws.iam.send(new CreateRoleCommand({ RoleName: "deploy", AssumeRolePolicyDocument: TRUST_ALL }));
    await world.ok(
      "write aws/roles/deploy credential_type=assumed_role role_arns=arn:aws:iam::123456789012:role/deploy",
    );
  });
  afterAll(async () => {
    await aws?.moto.stop();
    await world.close();
  });

  const users = async (): Promise<string[]> => {
    const { Users: found = [] } = await aws.iam.send(new ListUsersCommand({ MaxItems: 1000 }));
    return found.flatMap(({ UserName: name = "" }) => (name.startsWith("vault-root-") ? [name] : []));
  };
  const asking = (): string[] => ["--", botocorePython(), "-c", WHO_AM_I, aws.moto.url];
  const whole = (...args: readonly string[]) => world.run(["run", ...args], { env: STANDING });

  test("a user's keys are the command's, and its user is gone afterwards", async () => {
    const ended = await whole("-aws=aws/creds/cli", ...asking());
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
    expect(ended.stdout).toContain("user/vault-root-cli-");
    expect(await users()).toEqual([]);
  });

  test("a role's keys come with their session token, and a standing profile does not win", async () => {
    const ended = await whole("-aws=aws/sts/deploy", ...asking());
    // A token cannot be ended before its time, which is no failure of the command's.
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("assumed-role/deploy/");
    expect((await world.ok("lease list -format=json")).trim()).toBe("[]");
  });

  test("the secrets are masked, the key's id is not", async () => {
    const { stdout } = await whole("-aws=aws/sts/deploy", "--", "sh", "-c", "env | grep ^AWS_ | sort");
    expect(stdout).toMatch(/^AWS_ACCESS_KEY_ID=[A-Z0-9]{16,}$/m);
    expect(stdout).toContain("AWS_SECRET_ACCESS_KEY=********\n");
    expect(stdout).toContain("AWS_SESSION_TOKEN=********\n");
    expect(stdout).not.toMatch(/stale|standing/);
  });

  test("a signal ends the command, and the user with it", async () => {
    const running = world.start([
      "run",
      "-aws=aws/creds/cli",
      "--",
      "sh",
      "-c",
      "echo up >&2; exec sleep 60",
    ]);
    await until("the command", () => running.stderr().includes("up"));
    expect(await users()).toHaveLength(1);
    running.kill("SIGTERM");
    expect((await running.ended).signal).toBe("SIGTERM");
    expect(await users()).toEqual([]);
  });
});

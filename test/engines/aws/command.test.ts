import { expect, test } from "bun:test";
import { denied, envelope, sent } from "../../cli/fake-world.ts";

const data = {
  access_key: "ASIA1",
  secret_key: "s",
  session_token: "t",
  expiration: "2030-01-01T00:00:00.000Z",
};

test("credential-process prints what the AWS tools read, and nothing else", async () => {
  const args = ["aws", "credential-process", "-ttl=15m", "-role-session-name=ci", "deploy"];
  const ran = await sent(args, { answers: [envelope({ data })] });
  expect(ran.requests).toEqual([
    { method: "GET", path: "aws/credential-process/deploy", query: { ttl: 900, role_session_name: "ci" } },
  ]);
  expect(JSON.parse(ran.stdout)).toEqual({
    Version: 1,
    AccessKeyId: "ASIA1",
    SecretAccessKey: "s",
    SessionToken: "t",
    Expiration: "2030-01-01T00:00:00.000Z",
  });
  expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
});

test("a user's keys have no session token, and the engine may be mounted elsewhere", async () => {
  const answers = [envelope({ data: { ...data, session_token: null } })];
  const ran = await sent(["aws", "credential-process", "-mount=cloud/aws/", "app"], { answers });
  expect(ran.requests[0]?.path).toBe("cloud/aws/credential-process/app");
  expect(JSON.parse(ran.stdout)).not.toHaveProperty("SessionToken");
});

test("a refusal prints nothing on standard output", async () => {
  const ran = await sent(["aws", "credential-process", "app"], { answers: [denied] });
  expect([ran.exitCode, ran.stdout]).toEqual([2, ""]);
  expect(ran.stderr).toStartWith("Error reading aws/credential-process/app: ");
});

/** Where the root credentials come from when config/root has none: the sources that AWS's own tools know. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ALLOW_ALL } from "../engines/aws/fixture.ts";
import { type AwsProxy, startAwsProxy } from "../engines/aws/proxy.ts";
import { motoMissing } from "../servers/moto.ts";
import { type AwsServer, startAws } from "./aws.ts";
import { World } from "./world.ts";

const TRUST_ALL = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: "*" },
      Action: ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"],
    },
  ],
});
const ROLE_ARN = "arn:aws:iam::123456789012:role/workload";

setDefaultTimeout(60_000);
const MISSING = motoMissing();
const TITLE = `root credentials from elsewhere${MISSING === undefined ? "" : ` (skipped: ${MISSING})`}`;

describe.skipIf(MISSING !== undefined)(TITLE, () => {
  const world = new World();
  let aws: AwsServer;
  let proxy: AwsProxy;
  let metadata: Server;
  let metadataUrl = "";
  beforeAll(async () => {
    aws = await startAws();
    await aws.iam.send(new CreateRoleCommand({ RoleName: "workload", AssumeRolePolicyDocument: TRUST_ALL }));
    await aws.iam.send(
      new PutRolePolicyCommand({ RoleName: "workload", PolicyName: "all", PolicyDocument: ALLOW_ALL }),
    );
    proxy = await startAwsProxy(aws.moto.url);
    // The emulator stumbles over the one request that bears no signature, if it is to check it.
    proxy.rule = async ({ action }) => {
      await (action === "AssumeRoleWithWebIdentity" ? aws.moto.requireNothing() : aws.moto.requireKeys());
      return undefined;
    };
    metadata = await startMetadata();
    metadataUrl = `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`;
    await world.ok("operator init -seal=key-file");
    await world.ok("secrets enable aws");
    await world.ok(`write aws/config/root iam_endpoint=${proxy.url} sts_endpoint=${proxy.url}`);
    await world.ok(["write", "aws/roles/r", "credential_type=iam_user", `policy_document=${ALLOW_ALL}`]);
  });
  afterAll(async () => {
    metadata?.close();
    await proxy?.close();
    await aws?.moto.stop();
    await world.close();
  });

  /** What a container's or a machine's own service answers. */
  function startMetadata(): Promise<Server> {
    const server = createServer((request, response) => {
      const isToken = request.method === "PUT";
      const isList = request.url?.endsWith("/security-credentials/") === true;
      const { access_key: AccessKeyId, secret_key: SecretAccessKey } = aws.admin;
      const Expiration = new Date(Date.now() + 3600_000).toISOString();
      // The emulator takes the keys of a user without a token; an empty one counts as none.
      const keys = { Code: "Success", AccessKeyId, SecretAccessKey, Token: "", Expiration };
      response.end(isToken ? "session" : isList ? "instance" : JSON.stringify(keys));
    });
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
  }

  /** The variables that name each source. */
  const sources: Readonly<Record<string, () => Record<string, string>>> = {
    "the environment": () => ({
      AWS_ACCESS_KEY_ID: aws.admin.access_key,
      AWS_SECRET_ACCESS_KEY: aws.admin.secret_key,
    }),
    "a profile": () => {
      const { access_key, secret_key } = aws.admin;
      const keys = `aws_access_key_id = ${access_key}\naws_secret_access_key = ${secret_key}\n`;
      const file = world.file("credentials", `[ops]\n${keys}`);
      return { AWS_PROFILE: "ops", AWS_SHARED_CREDENTIALS_FILE: `${world.home}/${file}` };
    },
    "a web identity": () => ({
      AWS_ROLE_ARN: ROLE_ARN,
      AWS_WEB_IDENTITY_TOKEN_FILE: `${world.home}/${world.file("token", "header.payload.signature")}`,
      AWS_ENDPOINT_URL_STS: proxy.url,
    }),
    "a container": () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${metadataUrl}/keys` }),
    "the machine's instance role": () => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataUrl }),
  };

  test.each(Object.keys(sources))("%s gives them", async (name) => {
    proxy.actions.length = 0;
    const env = { AWS_REGION: "us-east-1", AWS_EC2_METADATA_DISABLED: "true", ...sources[name]?.() };
    if (name === "the machine's instance role") Object.assign(env, { AWS_EC2_METADATA_DISABLED: "false" });
    const issued = await world.run("read -field=lease_id aws/creds/r", { env });
    expect(issued).toMatchObject({ code: 0, stderr: "" });
    expect(proxy.actions.includes("AssumeRoleWithWebIdentity")).toBe(name === "a web identity");
    await world.ok(`lease revoke ${issued.stdout}`, { env });
  });

  test("without any, it is said what is missing, and there is nothing to be looked for later", async () => {
    const env = { AWS_REGION: "us-east-1", AWS_EC2_METADATA_DISABLED: "true" };
    const { code, stderr } = await world.run("read aws/creds/r", { env });
    expect(code).toBe(2);
    expect(stderr).toContain("Could not load credentials from any providers");
    expect((await world.run("list sys/leases/lookup/aws/creds/r")).code).toBe(2);
  });
});

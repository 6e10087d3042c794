import { afterAll, beforeAll, beforeEach, describe, setDefaultTimeout } from "bun:test";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { JsonObject } from "../../../src/base/json.ts";
import { type MotoServer, motoMissing, startMoto } from "../../servers/moto.ts";
import { type AwsProxy, startAwsProxy } from "./proxy.ts";
import { AwsWorld } from "./world.ts";

export const ALLOW_ALL = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});

const MISSING = motoMissing();

/** An emulator, a proxy in front of it, and the client of somebody who may do everything and goes past the proxy. */
export interface Aws {
  readonly moto: MotoServer;
  readonly proxy: AwsProxy;
  readonly iam: IAMClient;
  readonly admin: { readonly access_key: string; readonly secret_key: string };
}

/** Describes behaviour against the emulator; skipped, with the reason, where it cannot run. */
export function withAws(title: string, behaviour: (aws: () => Aws) => void): void {
  setDefaultTimeout(60_000);
  const name = `${title}${MISSING === undefined ? "" : ` (skipped: ${MISSING})`}`;
  describe.skipIf(MISSING !== undefined)(name, () => {
    let aws: Aws;
    beforeAll(async () => {
      const moto = await startMoto();
      const first = client(moto.url, { access_key: "test", secret_key: "test" });
      const admin = await newAdmin(first, "admin");
      await moto.requireKeys();
      aws = { moto, admin, iam: client(moto.url, admin), proxy: await startAwsProxy(moto.url) };
    });
    beforeEach(() => aws.proxy.reset());
    afterAll(async () => {
      await aws?.proxy.close();
      await aws?.moto.stop();
    });
    behaviour(() => aws);
  });
}

export function client(
  endpoint: string,
  keys: { readonly access_key: string; readonly secret_key: string },
): IAMClient {
  const credentials = { accessKeyId: keys.access_key, secretAccessKey: keys.secret_key };
  return new IAMClient({ endpoint, region: "us-east-1", credentials });
}

/** A user that may do everything, with one key. */
export async function newAdmin(iam: IAMClient, UserName: string) {
  await iam.send(new CreateUserCommand({ UserName }));
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "all", PolicyDocument: ALLOW_ALL }));
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { access_key: key?.AccessKeyId ?? "", secret_key: key?.SecretAccessKey ?? "" };
}

/** A world whose engine talks to the emulator through the proxy. */
export async function worldOn(aws: Aws, root: JsonObject = {}): Promise<AwsWorld> {
  const world = await AwsWorld.create();
  const endpoints = { iam_endpoint: aws.proxy.url, sts_endpoint: aws.proxy.url, region: "us-east-1" };
  await world.must("aws/config/root", { ...aws.admin, ...endpoints, ...root });
  return world;
}

/** The names of the users that the engine has made. */
export async function engineUsers({ iam }: Aws): Promise<string[]> {
  const { Users: users = [] } = await iam.send(new ListUsersCommand({ MaxItems: 1000 }));
  return users.flatMap(({ UserName: name }) => (name?.startsWith("vault-") ? [name] : []));
}

/** Who AWS takes the holder of this data for. @throws what AWS answers to keys that it does not know. */
export async function identityOf({ moto }: Pick<Aws, "moto">, data: JsonObject): Promise<string> {
  const token = data.security_token ?? data.session_token;
  const sts = new STSClient({
    endpoint: moto.url,
    region: "us-east-1",
    maxAttempts: 1,
    credentials: {
      accessKeyId: String(data.access_key),
      secretAccessKey: String(data.secret_key),
      ...(typeof token === "string" ? { sessionToken: token } : {}),
    },
  });
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  return Arn ?? "";
}

/** The name of the error that a promise ends with. @throws when it does not. */
export async function errorNameOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error.name;
  }
  throw new Error("this should have failed");
}

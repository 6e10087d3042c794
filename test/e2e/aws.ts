/** The compiled binary with an AWS engine, over the emulator. */

import type { IAMClient } from "@aws-sdk/client-iam";
import { client, newAdmin } from "../engines/aws/fixture.ts";
import { type MotoOptions, type MotoServer, startMoto } from "../servers/moto.ts";
import type { World } from "./world.ts";

/** The keys of somebody. */
export interface Keys {
  readonly access_key: string;
  readonly secret_key: string;
}

/** A running emulator that checks keys and rights. */
export interface AwsServer {
  readonly moto: MotoServer;
  /** Those of somebody who may do everything. */
  readonly admin: Keys;
  /** A client of that somebody. */
  readonly iam: IAMClient;
}

/** Whoever is known may take the role on. */
export const TRUST_ALL = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
});

/** A program of AWS's own SDK for Python: asks AWS, at the address it is given, who it is; its keys it finds as the AWS command line does. */
export const WHO_AM_I =
  "import sys, botocore.session as s; print(s.get_session().create_client('sts', endpoint_url=sys.argv[1], region_name='us-east-1').get_caller_identity()['Arn'])";

/** Starts an emulator. The caller stops it. */
export async function startAws(options: MotoOptions = {}): Promise<AwsServer> {
  const moto = await startMoto(options);
  const admin = await newAdmin(client(moto.url, { access_key: "test", secret_key: "test" }), "admin");
  await moto.requireKeys();
  return { moto, admin, iam: client(moto.url, admin) };
}

/** Makes the store, and an AWS engine at `aws/` in it whose users live for an hour. */
export async function initAws(world: World, { moto, admin }: AwsServer): Promise<void> {
  await world.ok("operator init -seal=key-file");
  await world.ok("secrets enable aws");
  await configureRoot(world, moto, admin);
  await world.ok("write aws/config/lease lease=1h lease_max=24h");
}

/** Gives the engine the keys of an administrator. */
export async function configureRoot(world: World, { url }: MotoServer, keys: Keys): Promise<void> {
  const endpoints = `iam_endpoint=${url} sts_endpoint=${url} region=us-east-1`;
  await world.ok(`write aws/config/root access_key=${keys.access_key} secret_key=- ${endpoints}`, {
    stdin: keys.secret_key,
  });
}

/** The page about AWS, and what others need of it. */

import { expect } from "bun:test";
import { CreateRoleCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import { configureRoot, TRUST_ALL } from "../../e2e/aws.ts";
import { client, newAdmin } from "../../engines/aws/fixture.ts";
import type { MotoServer } from "../../servers/moto.ts";
import type { PageExamples } from "../examples.ts";
import type { Place } from "../place.ts";
import { programMissing } from "../programs.ts";
import { initStore } from "./stores.ts";

const FIRST = { access_key: "test", secret_key: "test" };

/** The keys of somebody who may do everything, in an account that has the role `deploy`. */
async function accountOf({ url }: MotoServer, name: string) {
  const iam = client(url, FIRST);
  await iam.send(new CreateRoleCommand({ RoleName: "deploy", AssumeRolePolicyDocument: TRUST_ALL }));
  return newAdmin(iam, name);
}

/** An engine at `aws/`, and its role `deploy`. */
export async function addAws(at: Place): Promise<void> {
  const moto = await at.servers.get("moto");
  await at.world.ok("secrets enable aws");
  await configureRoot(at.world, moto, await accountOf(moto, "admin"));
  await at.world.ok(
    "write aws/roles/deploy credential_type=assumed_role role_arns=arn:aws:iam::123456789012:role/deploy",
  );
}

async function prepare(at: Place): Promise<void> {
  const moto = await at.servers.get("moto");
  const keys = await accountOf(moto, "vsec");
  await moto.requireKeys();
  at.world.file("secret-key", keys.secret_key);
  at.replaced.set("AKIAIOSFODNN7EXAMPLE", keys.access_key);
  const endpoints = `iam_endpoint=${moto.url} sts_endpoint=${moto.url}`;
  at.replaced.set("region=eu-central-1", `region=us-east-1 ${endpoints}`);
  // For the AWS command line.
  at.shellHas({ AWS_ENDPOINT_URL: moto.url });
  await initStore(at);
}

/** Asks the profile's process as AWS's SDKs do. */
async function runProfile({ shell }: Place, text: string): Promise<void> {
  const [, process = ""] = /^credential_process = (.*)$/m.exec(text) ?? [];
  const { code, printed } = await shell.run(process, "");
  expect([code, JSON.parse(printed)]).toEqual([0, expect.objectContaining({ Version: 1 })]);
}

export const AWS_PAGE: PageExamples = {
  page: "docs/aws.md",
  needs: ["moto"],
  prepare,
  files: { "~/.aws/config": runProfile },
  skip: { aws: programMissing("aws") },
  after: {
    "vsec read -wait aws/creds/app": (at, printed) => {
      const [, key = ""] = /^access_key +(\S+)$/m.exec(printed) ?? [];
      at.replaced.set("AKIAI44QH8DHBEXAMPLE", key);
    },
    "vsec lease lookup": async (at, printed) => {
      expect(printed).toContain("aws/creds/app/");
      await at.world.ok("lease revoke -sync -prefix aws/creds/app");
      const moto = await at.servers.get("moto");
      await moto.requireNothing();
      const { Users: users = [] } = await client(moto.url, FIRST).send(new ListUsersCommand({}));
      expect(users.filter(({ UserName: name = "" }) => name.startsWith("vault-"))).toEqual([]);
    },
  },
};

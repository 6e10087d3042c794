import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  type IAMClient,
  ListAccessKeysCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { type AwsServer, configureRoot, initAws, startAws } from "../test/e2e/aws.ts";
import { World } from "../test/e2e/world.ts";
import { ALLOW_ALL, client } from "../test/engines/aws/fixture.ts";
import { type AwsProxy, startAwsProxy } from "../test/engines/aws/proxy.ts";
import { motoMissing } from "../test/servers/moto.ts";
import type { BenchContext } from "./context.ts";
import { BenchFailed } from "./measure.ts";
import { type Figure, formatMs } from "./report.ts";
import { openInstance, tokenOf } from "./world.ts";

const USERS = 1000;
/** The loop takes as long for each user from the first to the last. */
const LOOP_USERS = 100;
/** What an emulator on the same machine lacks: the way to AWS and back, and AWS's own time. */
const LATENCY_MS = 40;
const AT_ONCE = 12;

/** How fast 1,000 users are revoked by prefix, beside a loop that deletes one user after the other by the same requests. */
export async function awsRevokeFigure(_context: BenchContext): Promise<Figure> {
  const missing = motoMissing();
  if (missing !== undefined) return { title: `aws-revoke: ${missing}`, rows: [], ratios: [] };
  const aws = await startAws();
  const proxy = await startAwsProxy(aws.moto.url);
  const world = new World();
  try {
    await initAws(world, aws);
    await issueUsers(world);
    await configureRoot(world, { ...aws.moto, url: proxy.url }, aws.admin);
    slowDown(proxy);
    const oursMs = await timed(async () => {
      await world.ok("lease revoke -sync -prefix aws/creds/r");
    });
    const requests = proxy.actions.length;
    if ((await usersLeft(aws)) > 0) throw new BenchFailed("the revocation left users behind");
    const loopMs = await timeLoop(aws, client(proxy.url, aws.admin));
    const [oursRate, loopRate] = [USERS / (oursMs / 1000), LOOP_USERS / (loopMs / 1000)];
    return {
      title: `aws-revoke: ${USERS.toLocaleString("en")} IAM users by prefix; each request takes ${LATENCY_MS} ms and the emulator's time`,
      rows: [
        {
          what: "vsec lease revoke -sync -prefix",
          value: `${oursRate.toFixed(1)} users a second (${formatMs(oursMs)}, ${(requests / USERS).toFixed(1)} requests for each)`,
        },
        { what: "a loop of the same requests", value: `${loopRate.toFixed(1)} users a second` },
      ],
      ratios: [{ what: "vsec's rate / the loop's", value: oursRate / loopRate, atLeast: 3 }],
    };
  } finally {
    await proxy.close();
    await aws.moto.stop();
    await world.close();
  }
}

function slowDown(proxy: AwsProxy): void {
  proxy.reset();
  proxy.rule = async () => {
    await Bun.sleep(LATENCY_MS);
    return undefined;
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Issues the users as callers would, but in one process. */
async function issueUsers(world: World): Promise<void> {
  await world.ok(["write", "aws/roles/r", "credential_type=iam_user", `policy_document=${ALLOW_ALL}`]);
  const bench = { world, env: { HOME: world.home, VSEC_STORE: world.store } };
  const instance = openInstance(bench);
  try {
    await inTurns(USERS, async () => {
      const { status } = await instance.handle({ method: "GET", path: "aws/creds/r", token: tokenOf(bench) });
      if (status !== 200) throw new BenchFailed(`reading aws/creds/r: status ${status}`);
    });
  } finally {
    await instance.close();
  }
}

/** Does something so many times, a few at once. */
async function inTurns(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function usersLeft({ iam }: AwsServer): Promise<number> {
  const { Users: users = [] } = await iam.send(new ListUsersCommand({ MaxItems: 1000 }));
  return users.filter(({ UserName: name = "" }) => name.startsWith("vault-")).length;
}

async function timeLoop(aws: AwsServer, slow: IAMClient): Promise<number> {
  const PolicyName = "r";
  await inTurns(LOOP_USERS, async (index) => {
    const UserName = `loop-${index}`;
    await aws.iam.send(new CreateUserCommand({ UserName }));
    await aws.iam.send(new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument: ALLOW_ALL }));
    await aws.iam.send(new CreateAccessKeyCommand({ UserName }));
  });
  return timed(async () => {
    for (let index = 1; index <= LOOP_USERS; index += 1) {
      const UserName = `loop-${index}`;
      const { AccessKeyMetadata: keys = [] } = await slow.send(new ListAccessKeysCommand({ UserName }));
      for (const { AccessKeyId } of keys)
        await slow.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
      await slow.send(new DeleteUserPolicyCommand({ UserName, PolicyName }));
      await slow.send(new DeleteUserCommand({ UserName }));
    }
  });
}

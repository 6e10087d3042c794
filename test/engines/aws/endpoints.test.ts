import { afterEach, describe, expect, test } from "bun:test";
import { GetUserCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { destroyClients } from "../../../src/engines/aws/clients.ts";
import type { RootConfig } from "../../../src/engines/aws/config.ts";
import { openClients } from "../../../src/engines/aws/open-clients.ts";
import { Pace } from "../../../src/engines/aws/pace.ts";
import { NO_ROOT_ROTATION } from "../../../src/framework/rotation.ts";

const CLOCK = { now: () => 0, sleep: async () => undefined };

const CONFIG: RootConfig = {
  accessKey: "AKIA",
  secretKey: "s",
  roleArn: "",
  region: "",
  iamEndpoint: "",
  stsEndpoint: "",
  stsRegion: "",
  stsFallbackEndpoints: [],
  stsFallbackRegions: [],
  maxRetries: 0,
  usernameTemplate: "",
  rotation: NO_ROOT_ROTATION,
  nextRotationAt: null,
};

/** Thrown in place of sending a request. */
class NotSent extends Error {}

interface Destination {
  readonly hostname: string;
  readonly port?: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the stacks of all of the SDK's clients have in common. */
interface Stack {
  add(
    middleware: () => (args: { readonly request: unknown }) => Promise<never>,
    options: { readonly step: "deserialize"; readonly priority: "low" },
  ): void;
}

/** Where requests would go, with the region that they are signed for: IAM's first, then those of STS. */
async function destinations(config: Partial<RootConfig>): Promise<string[]> {
  const clients = openClients({ ...CONFIG, ...config }, { requestTimeoutMs: 1000, pace: new Pace(CLOCK) });
  const seen: string[] = [];
  const note = () => async (args: { readonly request: unknown }) => {
    const { hostname, port, headers } = args.request as Destination;
    const [, , region] = /Credential=([^,]+)/.exec(headers.authorization ?? "")?.[1]?.split("/") ?? [];
    seen.push(`${hostname}${port === undefined ? "" : `:${port}`} ${region}`);
    throw new NotSent();
  };
  const stacks = [clients.iam, ...clients.sts] as unknown as readonly { middlewareStack: Stack }[];
  for (const { middlewareStack } of stacks)
    middlewareStack.add(note, { step: "deserialize", priority: "low" });
  await clients.iam.send(new GetUserCommand({})).catch(() => undefined);
  for (const sts of clients.sts) await sts.send(new GetCallerIdentityCommand({})).catch(() => undefined);
  destroyClients(clients);
  return seen;
}

describe("Where requests go", () => {
  const before = { AWS_REGION: process.env.AWS_REGION, AWS_DEFAULT_REGION: process.env.AWS_DEFAULT_REGION };
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  test.each([
    ["", "iam.amazonaws.com us-east-1", "sts.us-east-1.amazonaws.com us-east-1"],
    ["eu-central-1", "iam.amazonaws.com us-east-1", "sts.eu-central-1.amazonaws.com eu-central-1"],
    [
      "cn-northwest-1",
      "iam.cn-north-1.amazonaws.com.cn cn-north-1",
      "sts.cn-northwest-1.amazonaws.com.cn cn-northwest-1",
    ],
    [
      "us-gov-east-1",
      "iam.us-gov.amazonaws.com us-gov-west-1",
      "sts.us-gov-east-1.amazonaws.com us-gov-east-1",
    ],
  ])("in region %j to the partition's endpoints, signed for its regions", async (region, iam, sts) => {
    delete process.env.AWS_REGION;
    delete process.env.AWS_DEFAULT_REGION;
    expect(await destinations({ region })).toEqual([iam, sts]);
  });

  test("without a region the environment's is taken, AWS_REGION first", async () => {
    process.env.AWS_DEFAULT_REGION = "eu-west-1";
    delete process.env.AWS_REGION;
    expect((await destinations({}))[1]).toBe("sts.eu-west-1.amazonaws.com eu-west-1");
    process.env.AWS_REGION = "eu-west-2";
    expect((await destinations({}))[1]).toBe("sts.eu-west-2.amazonaws.com eu-west-2");
  });

  test("configured endpoints are used, STS's in a region of its own, its fallbacks after it", async () => {
    const config = {
      region: "eu-west-1",
      iamEndpoint: "http://iam.test:1234",
      stsEndpoint: "https://sts.test",
      stsRegion: "eu-west-3",
      stsFallbackEndpoints: ["https://second.test"],
      stsFallbackRegions: ["us-west-2"],
    };
    expect(await destinations(config)).toEqual([
      "iam.test:1234 eu-west-1",
      "sts.test eu-west-3",
      "second.test us-west-2",
    ]);
  });
});

import { IAMClient, type IAMClientConfig } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { VsecError } from "../../base/errors.ts";
import type { AwsClients } from "./clients.ts";
import type { RootConfig } from "./config.ts";
import { Gate } from "./gate.ts";

/** A request that is answered by nobody ends after this, and is sent again. */
export const REQUEST_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Requests of one mount that are under way together. */
const REQUESTS_AT_ONCE_MAX = 12;
/** Twice the SDK's own default: IAM's limits are low, and a mass revocation meets them. */
const ATTEMPTS_MAX = 6;

/** Where a request goes that has nothing configured. @see reference: AWS config. */
function regionOf(config: RootConfig): string {
  return config.region || process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || "us-east-1";
}

type Credentials = NonNullable<IAMClientConfig["credentials"]>;

interface Options {
  readonly requestTimeoutMs: number;
  readonly attemptsMax?: number;
}

/**
 * Opens clients by a configuration; nothing is sent. Retries adapt to throttling: one allowance for each client, so that
 * many revocations at once slow down together.
 */
export function openClients(config: RootConfig, options: Options): AwsClients {
  const region = regionOf(config);
  const gate = new Gate(REQUESTS_AT_ONCE_MAX);
  const attemptsMax = config.maxRetries < 0 ? ATTEMPTS_MAX : config.maxRetries + 1;
  const common = {
    maxAttempts: options.attemptsMax ?? attemptsMax,
    retryMode: "adaptive",
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: options.requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  };
  const sts = (endpoint: string, stsRegion: string, credentials: Credentials | undefined): STSClient =>
    new STSClient({
      ...common,
      region: stsRegion,
      ...(endpoint === "" ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    });
  const stsRegion = config.stsRegion || region;
  const source = keysOf(config);
  const credentials =
    config.roleArn === "" ? source : assuming(sts(config.stsEndpoint, stsRegion, source), config.roleArn);
  const iam = new IAMClient({
    ...common,
    region,
    ...(config.iamEndpoint === "" ? {} : { endpoint: config.iamEndpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  // Of low priority, it comes after what repeats: each attempt waits for a place of its own.
  iam.middlewareStack.add((next) => (args) => gate.run(() => next(args)), {
    name: "gate",
    step: "finalizeRequest",
    priority: "low",
  });
  const fallbacks = config.stsFallbackEndpoints.map((endpoint, index) =>
    sts(endpoint, config.stsFallbackRegions[index] ?? stsRegion, credentials),
  );
  return { iam, sts: [sts(config.stsEndpoint, stsRegion, credentials), ...fallbacks] };
}

function keysOf({ accessKey, secretKey }: RootConfig): Credentials | undefined {
  return accessKey === "" ? undefined : { accessKeyId: accessKey, secretAccessKey: secretKey };
}

const CHAIN_SECONDS = 3600;

/** Credentials of a role, assumed anew by the SDK shortly before they expire. */
function assuming(sts: STSClient, roleArn: string): Credentials {
  return async () => {
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: "vsec-root",
      DurationSeconds: CHAIN_SECONDS,
    });
    const { Credentials: found } = await sts.send(command);
    if (found?.AccessKeyId === undefined || found.SecretAccessKey === undefined) {
      throw new VsecError("BACKEND", `AWS answered without credentials for the role ${roleArn}`);
    }
    return {
      accessKeyId: found.AccessKeyId,
      secretAccessKey: found.SecretAccessKey,
      ...(found.SessionToken === undefined ? {} : { sessionToken: found.SessionToken }),
      ...(found.Expiration === undefined ? {} : { expiration: found.Expiration }),
    };
  };
}

import { IAMClient, type IAMClientConfig } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { VsecError } from "../../base/errors.ts";
import type { AwsClients } from "./clients.ts";
import type { AssumedRole, RootConfig } from "./config.ts";
import type { Pace } from "./pace.ts";

/** A request that is answered by nobody ends after this, and is sent again. */
export const REQUEST_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Twice the SDK's own default: IAM's limits are low, and a mass revocation meets them. */
const ATTEMPTS_MAX = 6;

/** Where a request goes that has nothing configured. @see reference: AWS config. */
function regionOf(config: RootConfig): string {
  return config.region || process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || "us-east-1";
}

type Credentials = NonNullable<IAMClientConfig["credentials"]>;

export interface OpenOptions {
  readonly requestTimeoutMs: number;
  /** Of all requests to IAM. */
  readonly pace: Pace;
  readonly attemptsMax?: number;
  /** Roles that are assumed one after the other, beyond that of the configuration. */
  readonly via?: readonly AssumedRole[];
}

/**
 * Opens clients by a configuration; nothing is sent. The SDK's retries adapt to throttling, and the
 * pace of a mount is kept by all of its clients, so that many revocations at once slow down together.
 */
export function openClients(config: RootConfig, options: OpenOptions): AwsClients {
  const region = regionOf(config);
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
  const roles = [...(config.roleArn === "" ? [] : [ownRole(config.roleArn)]), ...(options.via ?? [])];
  const credentials = roles.reduce<Credentials | undefined>(
    (source, role) => assuming(sts(config.stsEndpoint, stsRegion, source), role),
    keysOf(config),
  );
  const iam = new IAMClient({
    ...common,
    region,
    ...(config.iamEndpoint === "" ? {} : { endpoint: config.iamEndpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  // Of low priority, it comes after what repeats: each attempt waits for a turn of its own.
  iam.middlewareStack.add((next) => (args) => options.pace.run(() => once(next(args))), {
    name: "pace",
    step: "finalizeRequest",
    priority: "low",
  });
  const fallbacks = config.stsFallbackEndpoints.map((endpoint, index) =>
    sts(endpoint, config.stsFallbackRegions[index] ?? stsRegion, credentials),
  );
  return { iam, sts: [sts(config.stsEndpoint, stsRegion, credentials), ...fallbacks] };
}

/**
 * IAM answers LimitExceeded where an account or a user has as many of something as it may have. By its name the SDK takes it for
 * a request to slow down, and would repeat for half a minute what cannot succeed.
 */
async function once<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof Error && error.name === "LimitExceededException") error.name = "LimitExceeded";
    throw error;
  }
}

function keysOf({ accessKey, secretKey }: RootConfig): Credentials | undefined {
  return accessKey === "" ? undefined : { accessKeyId: accessKey, secretAccessKey: secretKey };
}

const CHAIN_SECONDS = 3600;

function ownRole(roleArn: string): AssumedRole {
  return { roleArn, sessionName: "", externalId: "" };
}

/** Credentials of a role, assumed anew by the SDK shortly before they expire. */
function assuming(sts: STSClient, { roleArn, sessionName, externalId }: AssumedRole): Credentials {
  return async () => {
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName || "vsec-root",
      DurationSeconds: CHAIN_SECONDS,
      ...(externalId === "" ? {} : { ExternalId: externalId }),
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

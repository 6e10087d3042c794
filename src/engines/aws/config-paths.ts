import { formatGoDuration, parseDurationSeconds } from "../../base/duration.ts";
import { ApiError, badRequest, hasCode, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import {
  describeRootRotation,
  mergeRootRotation,
  nextRootRotation,
  ROOT_ROTATION_FIELDS,
} from "../../framework/rotation.ts";
import { putRoot, type RootConfig, readLeaseConfig, readRoot, writeLeaseConfig } from "./config.ts";
import { checkTemplate } from "./username.ts";

const ROOT_FIELDS = {
  access_key: field.string({ description: "The access key id of the administrator." }),
  secret_key: field.string({ description: "Its secret key.", sensitive: true }),
  role_arn: field.string({
    description: "A role that is assumed first; everything is then done as this role.",
  }),
  region: field.string({
    description: "The AWS region; by default that of the environment, else us-east-1.",
  }),
  iam_endpoint: field.string({ description: "A URL to use in place of the region's IAM endpoint." }),
  sts_endpoint: field.string({ description: "A URL to use in place of the region's STS endpoint." }),
  sts_region: field.string({ description: "The region of the STS endpoint, where it is another one." }),
  sts_fallback_endpoints: field.commaStringList({
    description: "STS endpoints to try, in order, when the first one cannot be reached.",
  }),
  sts_fallback_regions: field.commaStringList({ description: "The region of each of those." }),
  max_retries: field.int({
    description: "How often a failed request is repeated; -1: the default.",
    default: -1,
  }),
  username_template: field.string({ description: "The template of the names of users and sessions." }),
  ...ROOT_ROTATION_FIELDS,
};

const LEASE_FIELDS = {
  lease: field.string({ description: "The TTL of users' leases, as in 1h." }),
  lease_max: field.string({ description: "The longest they can be renewed to." }),
};

const ROTATION_PERIOD_SECONDS_MIN = 60;

/** `config/root` and `config/lease`. @see reference: AWS configuration paths. */
export function configPaths(context: MountContext): PathSpec[] {
  return [rootPath(context), leasePath(context)];
}

function rootPath(context: MountContext): PathSpec {
  const { storage } = context;
  return path({
    pattern: "config/root",
    fields: ROOT_FIELDS,
    help: {
      synopsis: "Configure the credentials that users and tokens are made with.",
      description:
        "Without access_key and secret_key the SDK's chain is used: environment, profile, web identity, container or " +
        "instance role. Nothing is checked while writing. An update keeps what it is not given.",
    },
    operations: {
      read: {
        summary: "Show the configuration, without the secret key.",
        handler: async () => {
          const { config, version } = await readRoot(storage);
          return version === 0 ? undefined : { data: describe(config) };
        },
      },
      update: {
        summary: "Set the configuration.",
        handler: async ({ given, raw }) => {
          const stored = await readRoot(storage);
          const config = merge(context, stored.config, given);
          refuseIdentityTokens(config, raw);
          try {
            await storage.commit([putRoot(config, stored.version)]);
          } catch (error) {
            if (!hasCode(error, "STORE_CONFLICT")) throw error;
            throw new ApiError(
              409,
              "config/root was changed by somebody else meanwhile; look at it and try again",
            );
          }
          return undefined;
        },
      },
    },
  });
}

function merge(
  { clock, random }: MountContext,
  old: RootConfig,
  given: Given<typeof ROOT_FIELDS>,
): RootConfig {
  const next = {
    accessKey: given.access_key ?? old.accessKey,
    secretKey: given.secret_key ?? old.secretKey,
    roleArn: given.role_arn ?? old.roleArn,
    region: given.region ?? old.region,
    iamEndpoint: given.iam_endpoint ?? old.iamEndpoint,
    stsEndpoint: given.sts_endpoint ?? old.stsEndpoint,
    stsRegion: given.sts_region ?? old.stsRegion,
    stsFallbackEndpoints: given.sts_fallback_endpoints ?? old.stsFallbackEndpoints,
    stsFallbackRegions: given.sts_fallback_regions ?? old.stsFallbackRegions,
    maxRetries: given.max_retries ?? old.maxRetries,
    usernameTemplate: given.username_template ?? old.usernameTemplate,
    rotation: mergeRootRotation(old.rotation, given),
  };
  checkRoot(next);
  checkTemplate(next.usernameTemplate, { random, nowMs: clock.now() });
  const isSameRhythm = JSON.stringify(next.rotation) === JSON.stringify(old.rotation);
  const nextRotationAt = isSameRhythm ? old.nextRotationAt : nextRootRotation(next.rotation, clock.now());
  return { ...next, nextRotationAt };
}

/** Parameters that would have vsec sign a token for AWS, which would have to fetch its keys from vsec over the internet. */
const IDENTITY_TOKENS = ["identity_token_audience", "identity_token_key", "identity_token_ttl"];

/** @throws ApiError 400, in Vault's words where the parameters would be wrong there too. */
function refuseIdentityTokens({ accessKey, roleArn }: RootConfig, raw: JsonObject): void {
  const name = IDENTITY_TOKENS.find((parameter) => Boolean(raw[parameter]));
  if (name === undefined) return;
  if (raw.identity_token_audience && accessKey !== "") {
    throw badRequest("only one of 'access_key' or 'identity_token_audience' can be set");
  }
  if (raw.identity_token_audience && roleArn === "") {
    throw badRequest("missing required 'role_arn' when 'identity_token_audience' is set");
  }
  throw badRequest(
    `${name}: vsec issues no identity tokens, because AWS could not ask it for their keys; ` +
      "set AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE in its environment to use those of somebody else",
  );
}

const RETRIES_MAX = 20;

function checkRoot(config: Omit<RootConfig, "nextRotationAt">): void {
  if ((config.accessKey === "") !== (config.secretKey === "")) {
    throw badRequest("access_key and secret_key have to be given together, or neither of them");
  }
  if (config.stsFallbackEndpoints.length !== config.stsFallbackRegions.length) {
    throw badRequest("fallback endpoints and fallback regions must be the same length");
  }
  const endpoints = [config.iamEndpoint, config.stsEndpoint, ...config.stsFallbackEndpoints];
  const wrong = endpoints.find((url) => url !== "" && !/^https?:\/\/[^/]/.test(url));
  if (wrong !== undefined) throw badRequest(`an endpoint has to be a URL with http or https: "${wrong}"`);
  if (config.roleArn !== "" && !config.roleArn.includes(":role/")) {
    throw badRequest(`role_arn is not the ARN of a role: ${config.roleArn}`);
  }
  if (config.maxRetries > RETRIES_MAX) throw badRequest(`max_retries is at most ${RETRIES_MAX}`);
  const { periodSeconds, schedule } = config.rotation;
  if (periodSeconds === 0 && schedule === "") return;
  if (schedule === "" && periodSeconds < ROTATION_PERIOD_SECONDS_MIN) {
    throw badRequest(`rotation_period has to be at least ${ROTATION_PERIOD_SECONDS_MIN} seconds`);
  }
  if (config.accessKey === "") {
    throw badRequest(
      `${schedule === "" ? "rotation_period" : "rotation_schedule"} needs an access_key that can be rotated`,
    );
  }
}

function describe(config: RootConfig): JsonObject {
  return {
    access_key: config.accessKey,
    iam_endpoint: config.iamEndpoint,
    max_retries: config.maxRetries,
    region: config.region,
    role_arn: config.roleArn,
    sts_endpoint: config.stsEndpoint,
    sts_fallback_endpoints: config.stsFallbackEndpoints,
    sts_fallback_regions: config.stsFallbackRegions,
    sts_region: config.stsRegion,
    username_template: config.usernameTemplate,
    ...describeRootRotation(config.rotation),
  };
}

function leasePath({ storage }: MountContext): PathSpec {
  return path({
    pattern: "config/lease",
    fields: LEASE_FIELDS,
    help: { synopsis: "Configure how long the users that are issued live." },
    operations: {
      read: {
        summary: "Show the TTLs.",
        handler: async () => {
          const config = await readLeaseConfig(storage);
          if (config === null) return undefined;
          const { leaseSeconds, leaseMaxSeconds } = config;
          return {
            data: { lease: formatGoDuration(leaseSeconds), lease_max: formatGoDuration(leaseMaxSeconds) },
          };
        },
      },
      update: {
        summary: "Set the TTLs.",
        handler: async ({ values }) => {
          const leaseSeconds = durationOf("lease", values.lease);
          const leaseMaxSeconds = durationOf("lease_max", values.lease_max);
          await writeLeaseConfig(storage, { leaseSeconds, leaseMaxSeconds });
          return undefined;
        },
      },
    },
  });
}

function durationOf(name: string, text: string): number {
  if (text === "") throw badRequest(`'${name}' is a required parameter`);
  try {
    const seconds = parseDurationSeconds(text);
    if (seconds < 0) throw new SyntaxError(`a duration cannot be negative: ${text}`);
    return seconds;
  } catch (error) {
    throw badRequest(`Invalid ${name}: ${messageOf(error)}`, error);
  }
}

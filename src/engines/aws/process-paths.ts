import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { LeasePlan } from "../../framework/secret.ts";
import { type AwsMount, planCredential } from "./plan.ts";
import {
  keepProcessCredential,
  type ProcessCredential,
  processKeyOf,
  readProcessCredential,
} from "./process-cache.ts";
import { readRole } from "./role.ts";
import { NAME_WITH_AT } from "./role-paths.ts";

/** A credential that ends sooner than this is not handed out again: the SDKs ask anew some minutes before its end. */
const LEFT_MS_MIN = 10 * 60_000;
/** One that lives shortly is used for most of its life nevertheless. */
const LEFT_PART_MIN = 1 / 4;

function isGood({ issuedAt, expiresAt }: ProcessCredential, now: number): boolean {
  return expiresAt - now >= Math.min(LEFT_MS_MIN, (expiresAt - issuedAt) * LEFT_PART_MIN);
}

const FIELDS = {
  name: field.string({ description: "The role." }),
  ttl: field.duration({ description: "How long a new token lives." }),
  role_arn: field.string({ description: "Which of the role's role_arns to assume." }),
  role_session_name: field.string({ description: "The name of a new session." }),
};

/** `credential-process/:name`: credentials for the AWS command line and SDKs, the same ones until shortly before their end. */
export function processPaths(mount: AwsMount): PathSpec[] {
  return [
    path({
      pattern: "credential-process/:name",
      captures: { name: NAME_WITH_AT },
      fields: FIELDS,
      help: {
        synopsis:
          "Give credentials for the AWS command line and SDKs, the same ones until shortly before they expire.",
        description:
          "Credentials are kept encrypted in this store, one for each caller's token and request. They are issued under a lease " +
          "like any others, and forgotten when it ends.",
      },
      operations: {
        read: {
          summary: "Give credentials.",
          handler: async ({ values, displayName, callerId }): Promise<Reply> => {
            const { storage, clock, hash } = mount.context;
            const { name, ttl, role_arn: roleArn, role_session_name: sessionName } = values;
            const asked = JSON.stringify([name, callerId, ttl, roleArn, sessionName]);
            const processKey = processKeyOf(hash("credential-process", asked));
            const roleVersion = (await readRole(storage, name))?.version ?? 0;
            const kept = await readProcessCredential(storage, processKey);
            if (kept?.roleVersion === roleVersion && isGood(kept, clock.now())) return { data: shown(kept) };
            return { lease: await plan(mount, { ...values, displayName, processKey, roleVersion }) };
          },
        },
      },
    }),
  ];
}

interface Wanted {
  readonly name: string;
  readonly ttl: number;
  readonly role_arn: string;
  readonly role_session_name: string;
  readonly displayName: string;
  readonly processKey: string;
  readonly roleVersion: number;
}

/** Plans a new credential, which is kept as soon as it exists: should the lease fail after all, its revocation forgets it. */
async function plan(mount: AwsMount, wanted: Wanted): Promise<LeasePlan> {
  let kept: ProcessCredential | undefined;
  const planned = await planCredential(
    mount,
    {
      roleName: wanted.name,
      displayName: wanted.displayName,
      door: null,
      ttlSeconds: wanted.ttl,
      roleArn: wanted.role_arn,
      sessionName: wanted.role_session_name,
      mfaCode: "",
      isProved: true,
      processKey: wanted.processKey,
    },
    async (issued) => {
      kept = { ...issued, roleVersion: wanted.roleVersion, issuedAt: mount.context.clock.now() };
      await keepProcessCredential(mount.context.storage, wanted.processKey, kept);
    },
  );
  return {
    ...planned,
    create: async (lease) => {
      const data = await planned.create(lease);
      return kept === undefined ? data : shown(kept);
    },
  };
}

/** In the words of the API; the command puts it into the form that AWS's tools read. */
function shown(credential: ProcessCredential): JsonObject {
  return {
    access_key: credential.accessKey,
    expiration: new Date(credential.expiresAt).toISOString(),
    secret_key: credential.secretKey,
    session_token: credential.sessionToken === "" ? null : credential.sessionToken,
  };
}

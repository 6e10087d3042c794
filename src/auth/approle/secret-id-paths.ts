import { areCidrsWithin } from "../../base/cidr.ts";
import { ApiError, badRequest, messageOf } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseInput } from "../../base/json.ts";
import { randomUuid } from "../../base/random.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import { PAGE_FIELDS } from "../../framework/list-page.ts";
import { checkMetadata } from "../../framework/metadata.ts";
import { boundCidrs } from "../../framework/token-fields.ts";
import { ID_BYTES_MAX, type Role, readRole } from "./role.ts";
import { isBlock, ROLE_NAME } from "./role-write.ts";
import { type SecretIdTerms, storeSecretId, tidySecretIds } from "./secret-id.ts";
import { listPathOf, secretIdUsePaths } from "./secret-id-use-paths.ts";

const METADATA_BYTES_MAX = 65_536;

const TERM_FIELDS = {
  role_name: ROLE_NAME,
  metadata: field.string({ description: "A JSON object of strings, shown and audited with each login." }),
  cidr_list: field.commaStringList({ description: "Blocks that logins with the secret id must come from." }),
  token_bound_cidrs: field.commaStringList({
    description: "Addresses and blocks that the tokens are used from; by default the role's.",
  }),
  num_uses: field.int({ description: "How often it can be used; by default as the role says." }),
  ttl: field.duration({ description: "How long it lives; by default as the role says." }),
};

/** `role/:role_name/secret-id…`, `custom-secret-id` and `tidy/secret-id`. */
export function secretIdPaths(context: AuthContext): PathSpec[] {
  return [newPath(context), customPath(context), ...secretIdUsePaths(context), tidyPath(context)];
}

function newPath(context: AuthContext): PathSpec {
  return path({
    pattern: "role/:role_name/secret-id",
    fields: { ...TERM_FIELDS, ...PAGE_FIELDS },
    help: { synopsis: "Make a secret id, or list the accessors of those there are." },
    operations: {
      update: {
        summary: "Make a secret id.",
        handler: async ({ values, given }) =>
          register(context, values.role_name, randomUuid(context.random), given),
      },
      list: listPathOf(context),
    },
  });
}

function customPath(context: AuthContext): PathSpec {
  return path({
    pattern: "role/:role_name/custom-secret-id",
    fields: {
      ...TERM_FIELDS,
      secret_id: field.string({ description: "The secret id; long and random.", sensitive: true }),
    },
    help: { synopsis: "Register a secret id of one's own choice." },
    operations: {
      update: {
        summary: "Register a secret id.",
        handler: async ({ values, given }) => {
          if (values.secret_id === "") throw badRequest("missing secret_id");
          if (Buffer.byteLength(values.secret_id) > ID_BYTES_MAX) throw badRequest("secret_id is too long");
          return register(context, values.role_name, values.secret_id, given);
        },
      },
    },
  });
}

async function register(
  context: AuthContext,
  roleName: string,
  text: string,
  given: Given<typeof TERM_FIELDS>,
): Promise<Reply> {
  const stored = await readRole(context, roleName);
  if (stored === null) throw new ApiError(404, `role ${JSON.stringify(roleName)} does not exist`);
  const { role } = stored;
  if (!role.bindSecretId) throw badRequest("bind_secret_id is not set on the role");
  const secretId = await storeSecretId(context, role, text, readTerms(context, role, given));
  return {
    data: {
      secret_id: text,
      secret_id_accessor: secretId.accessor,
      secret_id_num_uses: secretId.numUses,
      secret_id_ttl: secretId.ttlSeconds,
    },
  };
}

function readTerms({ ttl }: AuthContext, role: Role, given: Given<typeof TERM_FIELDS>): SecretIdTerms {
  const ttlSeconds = readTtl(role, given.ttl);
  return {
    numUses: readNumUses(role, given.num_uses),
    ttlSeconds: Math.min(ttlSeconds, ttl.maxSeconds),
    metadata: readMetadata(given.metadata ?? ""),
    cidrList: readCidrs(role, given.cidr_list ?? []),
    tokenBoundCidrs: readTokenCidrs(role, given.token_bound_cidrs ?? []),
  };
}

function readNumUses(role: Role, given: number | undefined): number {
  if (given === undefined) return role.secretIdNumUses;
  if (given < 0) throw badRequest("num_uses cannot be negative");
  // Unlimited is more than any limit.
  if (role.secretIdNumUses > 0 && (given === 0 || given > role.secretIdNumUses)) {
    throw badRequest("num_uses cannot be higher than the role's secret_id_num_uses");
  }
  return given;
}

function readTtl(role: Role, given: number | undefined): number {
  if (given === undefined) return role.secretIdTtlSeconds;
  if (role.secretIdTtlSeconds > 0 && (given === 0 || given > role.secretIdTtlSeconds)) {
    throw badRequest("ttl cannot be longer than the role's secret_id_ttl");
  }
  return given;
}

function readMetadata(text: string): Readonly<Record<string, string>> {
  if (text === "") return {};
  if (Buffer.byteLength(text) > METADATA_BYTES_MAX) {
    throw badRequest(`failed to parse metadata: it is longer than ${METADATA_BYTES_MAX} bytes`);
  }
  const metadata = parseMetadata(text);
  checkMetadata("metadata", metadata);
  return metadata;
}

function parseMetadata(text: string): Readonly<Record<string, string>> {
  try {
    const value = parseInput(text);
    if (!isJsonObject(value)) throw new SyntaxError("it is not a JSON object");
    if (!Object.values(value).every((item) => typeof item === "string")) {
      throw new SyntaxError("its values are not all strings");
    }
    return value as JsonObject & Readonly<Record<string, string>>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest(`failed to parse metadata: ${messageOf(error)}`);
  }
}

function readCidrs(role: Role, given: readonly string[]): readonly string[] {
  const blocks = given.filter((block) => block !== "");
  if (!blocks.every(isBlock)) throw badRequest("failed to validate CIDR blocks");
  requireWithin(role, "secret_id_bound_cidrs", blocks, role.secretIdBoundCidrs);
  return blocks;
}

function readTokenCidrs(role: Role, given: readonly string[]): readonly string[] {
  const blocks = boundCidrs(given);
  requireWithin(role, "token_bound_cidrs", blocks, role.terms.boundCidrs);
  return blocks;
}

function requireWithin(role: Role, name: string, blocks: readonly string[], outer: readonly string[]): void {
  if (outer.length === 0 || areCidrsWithin(blocks, outer)) return;
  throw badRequest(
    `CIDR blocks of the secret ID are not all within ${name} of role ${JSON.stringify(role.name)}`,
  );
}

function tidyPath(context: AuthContext): PathSpec {
  return path({
    pattern: "tidy/secret-id",
    fields: {},
    help: { synopsis: "Delete expired secret ids, and what deleted roles left." },
    operations: {
      update: {
        summary: "Delete expired secret ids now.",
        handler: async () => {
          const dropped = await tidySecretIds(context);
          context.log.info("secret ids tidied", { expired: dropped });
          return {
            status: 202,
            warnings: [
              "Tidy operation successfully started. Any information from the operation will be written to the daemon's log.",
            ],
          };
        },
      },
    },
  });
}

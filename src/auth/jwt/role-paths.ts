import { badRequest } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import { oldNamesInUse, withNewNames } from "../../framework/old-names.ts";
import { describeTokenTerms, mergeTokenTerms, TOKEN_FIELDS } from "../../framework/token-fields.ts";
import { deleteRole, listRoles, OLD_NAMES, type OldName, type Role, readRole, writeRole } from "./role.ts";

const BOUND_CLAIMS_MAX = 100;

const FIELDS = {
  name: field.lowerCaseString({ description: "The role's name." }),
  role_type: field.string({ description: "Must be jwt: vsec has no browser logins.", allowed: ["jwt"] }),
  bound_audiences: field.commaStringList({ description: "Audiences, one of which the aud claim must have." }),
  bound_subject: field.string({ description: "The sub claim that tokens must have." }),
  bound_claims: field.map({
    description: "Claims, by name or JSON pointer, and the value or values each may have.",
  }),
  bound_claims_type: field.string({
    description: "Whether the values of bound_claims are compared as they are, or are patterns with *.",
    default: "string",
    allowed: ["string", "glob"],
  }),
  claim_mappings: field.kvPairs({ description: "Claims, and the metadata keys they are copied to." }),
  user_claim: field.string({ description: "The claim that says who it is.", required: true }),
  user_claim_json_pointer: field.bool({ description: "Whether user_claim is a JSON pointer." }),
  groups_claim: field.string({ description: "The claim that lists the groups." }),
  expiration_leeway: field.signedDuration({
    description: "How long a token without exp is good; 0 for 150 seconds, negative for none.",
    default: 150,
  }),
  not_before_leeway: field.signedDuration({
    description:
      "How long before exp a token without nbf and iat is good; 0 for 150 seconds, negative for none.",
    default: 150,
  }),
  clock_skew_leeway: field.signedDuration({
    description: "How far clocks may be apart; 0 for 60 seconds, negative for none.",
    default: 60,
  }),
  max_age: field.duration({ description: "Of browser logins; kept and shown." }),
  allowed_redirect_uris: field.commaStringList({ description: "Of browser logins; refused with them." }),
  verbose_oidc_logging: field.bool({ description: "Of browser logins; kept and shown." }),
  policies: field.commaStringList({ description: "The old name of token_policies.", deprecated: true }),
  ttl: field.duration({ description: "The old name of token_ttl.", deprecated: true }),
  max_ttl: field.duration({ description: "The old name of token_max_ttl.", deprecated: true }),
  period: field.duration({ description: "The old name of token_period.", deprecated: true }),
  num_uses: field.int({ description: "The old name of token_num_uses.", deprecated: true }),
  bound_cidrs: field.commaStringList({ description: "The old name of token_bound_cidrs.", deprecated: true }),
  ...TOKEN_FIELDS,
};

type RoleGiven = Given<typeof FIELDS>;

/** `role` and `role/:name`. @see reference: JWT. */
export function rolePaths({ storage }: AuthContext): PathSpec[] {
  return [
    path({
      pattern: "role",
      fields: PAGE_FIELDS,
      help: { synopsis: "List the roles." },
      operations: {
        list: {
          summary: "List the roles.",
          handler: async ({ values }) => ({ data: { keys: pageOf(await listRoles(storage), values) } }),
        },
      },
    }),
    path({
      pattern: "role/:name",
      fields: FIELDS,
      exists: async ({ values }) => (await readRole(storage, values.name)) !== null,
      help: {
        synopsis: "Say which tokens may log in as a role, and on what terms.",
        description: "An update keeps what it is not given.",
      },
      operations: {
        read: {
          summary: "Show a role.",
          handler: async ({ values }) => {
            const role = await readRole(storage, values.name);
            return role === null ? undefined : { data: describe(role) };
          },
        },
        update: {
          summary: "Create or change a role.",
          handler: async ({ values, given }) => {
            const old = await readRole(storage, values.name);
            await writeRole(storage, values.name, merge(old, given));
            return undefined;
          },
        },
        delete: {
          summary: "Delete a role. Tokens it granted stay until they end, and cannot be renewed.",
          handler: async ({ values }) => {
            await deleteRole(storage, values.name);
            return undefined;
          },
        },
      },
    }),
  ];
}

function merge(old: Role | null, given: RoleGiven): Role {
  checkType(old, given);
  const role: Role = {
    boundAudiences: given.bound_audiences ?? old?.boundAudiences ?? [],
    boundSubject: given.bound_subject ?? old?.boundSubject ?? "",
    boundClaims: given.bound_claims ?? old?.boundClaims ?? {},
    boundClaimsType: claimsType(given.bound_claims_type ?? old?.boundClaimsType ?? "string"),
    claimMappings: given.claim_mappings ?? old?.claimMappings ?? {},
    userClaim: given.user_claim ?? old?.userClaim ?? "",
    userClaimJsonPointer: given.user_claim_json_pointer ?? old?.userClaimJsonPointer ?? false,
    groupsClaim: given.groups_claim ?? old?.groupsClaim ?? "",
    expirationLeewaySeconds: given.expiration_leeway ?? old?.expirationLeewaySeconds ?? 150,
    notBeforeLeewaySeconds: given.not_before_leeway ?? old?.notBeforeLeewaySeconds ?? 150,
    clockSkewLeewaySeconds: given.clock_skew_leeway ?? old?.clockSkewLeewaySeconds ?? 60,
    maxAgeSeconds: given.max_age ?? old?.maxAgeSeconds ?? 0,
    verboseLogging: given.verbose_oidc_logging ?? old?.verboseLogging ?? false,
    terms: mergeTokenTerms(old?.terms ?? null, withNewNames(given, OLD_NAMES)),
    oldNames: oldNamesInUse(OLD_NAMES, given, old?.oldNames ?? []),
  };
  check(role);
  return role;
}

function checkType(old: Role | null, { role_type: type, allowed_redirect_uris: uris }: RoleGiven): void {
  const given = type ?? (old === null ? "" : "jwt");
  if (given === "jwt") return;
  if (given !== "" && given !== "oidc") throw badRequest(`invalid 'role_type': ${given}`);
  if (uris === undefined || uris.length === 0) {
    throw badRequest("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.");
  }
  throw badRequest("vsec has no browser logins; set 'role_type' to 'jwt'");
}

function claimsType(text: string): Role["boundClaimsType"] {
  if (text === "string" || text === "glob") return text;
  throw badRequest(`invalid 'bound_claims_type': ${text}`);
}

function check(role: Role): void {
  if (role.userClaim === "") throw badRequest("a user claim must be defined on the role");
  checkBoundClaims(role);
  const targets = Object.values(role.claimMappings);
  if (targets.includes("role")) {
    throw badRequest('metadata key "role" is reserved and may not be a mapping destination');
  }
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  if (twice !== undefined)
    throw badRequest(`multiple keys are mapped to metadata key ${JSON.stringify(twice)}`);
  const isBound =
    role.boundAudiences.length > 0 ||
    role.boundSubject !== "" ||
    Object.keys(role.boundClaims).length > 0 ||
    role.terms.boundCidrs.length > 0;
  if (!isBound) {
    throw badRequest("must have at least one bound constraint when creating/updating a role");
  }
}

function checkBoundClaims({ boundClaims, boundClaimsType }: Role): void {
  const claims = Object.entries(boundClaims);
  if (claims.length > BOUND_CLAIMS_MAX) throw badRequest(`more than ${BOUND_CLAIMS_MAX} bound claims`);
  for (const [name, value] of claims) {
    const values: readonly Json[] = Array.isArray(value) ? value : [value];
    const isScalar = (item: Json): boolean => item !== null && !isJsonObject(item) && !Array.isArray(item);
    if (values.length === 0 || !values.every(isScalar)) {
      throw badRequest(`bound claim ${JSON.stringify(name)} is neither a value nor a list of values`);
    }
    if (boundClaimsType === "glob" && !values.every((item) => typeof item === "string")) {
      throw badRequest(`claim is not a string: ${JSON.stringify(name)}`);
    }
  }
}

function describe(role: Role): JsonObject {
  const terms = describeTokenTerms(role.terms);
  const old = role.oldNames.map((name: OldName) => [name, terms[`token_${name}`] ?? null]);
  return {
    allowed_redirect_uris: [],
    bound_audiences: role.boundAudiences,
    bound_claims: role.boundClaims,
    bound_claims_type: role.boundClaimsType,
    bound_subject: role.boundSubject,
    claim_mappings: role.claimMappings,
    clock_skew_leeway: role.clockSkewLeewaySeconds,
    expiration_leeway: role.expirationLeewaySeconds,
    groups_claim: role.groupsClaim,
    max_age: role.maxAgeSeconds,
    not_before_leeway: role.notBeforeLeewaySeconds,
    oidc_scopes: [],
    role_type: "jwt",
    user_claim: role.userClaim,
    user_claim_json_pointer: role.userClaimJsonPointer,
    verbose_oidc_logging: role.verboseLogging,
    ...terms,
    ...Object.fromEntries(old),
  };
}

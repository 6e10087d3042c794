import { parseCidr } from "../../base/cidr.ts";
import { badRequest } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Values } from "../../framework/field.ts";
import { decodeCommaIntList } from "../../framework/weak-decode.ts";
import type { CaRole, OtpRole, Role } from "./role.ts";
import { listOf } from "./role.ts";
import type { ROLE_FIELDS } from "./role-fields.ts";

type RoleValues = Values<typeof ROLE_FIELDS>;

const TEMPLATES = [
  "default_user_template",
  "allowed_users_template",
  "allowed_domains_template",
  "default_extensions_template",
] as const;

/** A role as it was asked for. @throws ApiError 400 with Vault's texts. */
export function checkedRole(values: RoleValues, maxTtlSeconds: number): Role {
  switch (values.key_type) {
    case "otp":
      return otpRole(values);
    case "ca":
      return caRole(values, maxTtlSeconds);
    case "":
      throw badRequest("missing key type");
    case "dynamic":
      throw badRequest("dynamic key type roles are no longer supported");
    default:
      throw badRequest("invalid key type");
  }
}

const PORT_MAX = 65_535;

function otpRole(values: RoleValues): OtpRole {
  if (values.default_user === "") throw badRequest("missing default user");
  const template = TEMPLATES.find((name) => values[name]);
  if (template !== undefined) throw badRequest(`${template} is for roles of type ca`);
  if (values.port < 1 || values.port > PORT_MAX) throw badRequest(`invalid port ${values.port}`);
  for (const name of ["cidr_list", "exclude_cidr_list"] as const) {
    const wrong = listOf(values[name]).find((block) => parseCidr(block) === null);
    if (wrong !== undefined) {
      throw badRequest(`failed to validate ${name}: invalid CIDR address: ${wrong}`);
    }
  }
  return {
    v: 1,
    keyType: "otp",
    defaultUser: values.default_user,
    cidrList: values.cidr_list,
    excludeCidrList: values.exclude_cidr_list,
    port: values.port,
    allowedUsers: values.allowed_users,
  };
}

function caRole(values: RoleValues, mountMaxSeconds: number): CaRole {
  if (!values.allow_user_certificates && !values.allow_host_certificates) {
    throw badRequest("Either 'allow_user_certificates' or 'allow_host_certificates' must be set to 'true'");
  }
  const { ttl, max_ttl: maxTtl } = values;
  if (ttl > (maxTtl || mountMaxSeconds)) {
    throw badRequest('"ttl" value must be less than "max_ttl" when both specified');
  }
  return {
    v: 1,
    keyType: "ca",
    defaultUser: values.default_user,
    allowedUsers: values.allowed_users,
    allowedDomains: values.allowed_domains,
    ttlSeconds: ttl,
    maxTtlSeconds: maxTtl,
    allowedCriticalOptions: values.allowed_critical_options,
    allowedExtensions: values.allowed_extensions,
    defaultCriticalOptions: values.default_critical_options,
    defaultExtensions: values.default_extensions,
    allowUserCertificates: values.allow_user_certificates,
    allowHostCertificates: values.allow_host_certificates,
    allowBareDomains: values.allow_bare_domains,
    allowSubdomains: values.allow_subdomains,
    allowUserKeyIds: values.allow_user_key_ids,
    allowEmptyPrincipals: values.allow_empty_principals,
    keyIdFormat: values.key_id_format,
    allowedUserKeyLengths: keyLengths(values.allowed_user_key_lengths),
    algorithmSigner: signer(values.algorithm_signer),
    notBeforeSeconds: values.not_before_duration,
    templates: {
      defaultUser: values.default_user_template,
      allowedUsers: values.allowed_users_template,
      allowedDomains: values.allowed_domains_template,
      defaultExtensions: values.default_extensions_template,
    },
  };
}

function signer(name: string): CaRole["algorithmSigner"] {
  switch (name) {
    case "":
    case "default":
      return "default";
    case "ssh-rsa":
    case "rsa-sha2-256":
    case "rsa-sha2-512":
      return name;
    default:
      throw badRequest(`unknown algorithm signer ${JSON.stringify(name)}`);
  }
}

function keyLengths(given: JsonObject): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(Object.entries(given).map(([kind, bits]) => [kind, bitsOf(kind, bits)]));
}

function bitsOf(kind: string, bits: Json): readonly number[] {
  const invalid = badRequest(
    `error processing allowed_user_key_lengths: ${JSON.stringify(kind)} has no list of numbers`,
  );
  if (bits === null || isJsonObject(bits)) throw invalid;
  try {
    return decodeCommaIntList(bits);
  } catch {
    throw invalid;
  }
}

/** A role as reading it shows it. */
export function describeRole(role: Role): JsonObject {
  if (role.keyType === "otp") {
    return {
      allowed_users: role.allowedUsers,
      cidr_list: role.cidrList,
      default_user: role.defaultUser,
      exclude_cidr_list: role.excludeCidrList,
      key_type: "otp",
      port: role.port,
    };
  }
  return {
    algorithm_signer: role.algorithmSigner,
    allow_bare_domains: role.allowBareDomains,
    allow_empty_principals: role.allowEmptyPrincipals,
    allow_host_certificates: role.allowHostCertificates,
    allow_subdomains: role.allowSubdomains,
    allow_user_certificates: role.allowUserCertificates,
    allow_user_key_ids: role.allowUserKeyIds,
    allowed_critical_options: role.allowedCriticalOptions,
    allowed_domains: role.allowedDomains,
    allowed_domains_template: role.templates.allowedDomains,
    allowed_extensions: role.allowedExtensions,
    allowed_user_key_lengths: role.allowedUserKeyLengths,
    allowed_users: role.allowedUsers,
    allowed_users_template: role.templates.allowedUsers,
    default_critical_options: role.defaultCriticalOptions,
    default_extensions: role.defaultExtensions,
    default_extensions_template: role.templates.defaultExtensions,
    default_user: role.defaultUser,
    default_user_template: role.templates.defaultUser,
    key_id_format: role.keyIdFormat,
    key_type: "ca",
    max_ttl: role.maxTtlSeconds,
    not_before_duration: role.notBeforeSeconds,
    ttl: role.ttlSeconds,
  };
}

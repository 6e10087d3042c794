import { badRequest } from "../../../base/errors.ts";
import { parseNotAfter } from "../issue/validity.ts";
import { checkExtKeyUsageOids, extKeyUsageOids, keyUsageBits, readPolicies } from "../usage.ts";
import { keyKindProblem } from "../x509/keys.ts";
import type { Role } from "./role.ts";

const SIGNATURE_BITS: ReadonlySet<number> = new Set([0, 256, 384, 512]);

/** @throws ApiError 400 for a hash that is not known. */
export function checkSignatureBits(bits: number): void {
  if (!SIGNATURE_BITS.has(bits)) throw badRequest(`invalid signature bits: ${bits}`);
}

/** @throws ApiError 400 for a key that cannot be made. @param type - `any` counts as one that can, of any size. */
export function checkKeyKind(type: string, bits: number): void {
  const problem = type === "any" ? null : keyKindProblem(type, bits);
  if (problem !== null) throw badRequest(problem);
}

/** Checks a role as a whole. @throws ApiError 400 naming the first field that is wrong. */
export function checkRole(role: Role): void {
  if (role.max_ttl > 0 && role.ttl > role.max_ttl) {
    throw badRequest(`"ttl" value must be less than "max_ttl" value`);
  }
  checkKeyKind(role.key_type, role.key_bits);
  checkSignatureBits(role.signature_bits);
  checkValidations(role.cn_validations);
  checkExtKeyUsageOids(role.ext_key_usage_oids);
  keyUsageBits(role.key_usage);
  extKeyUsageOids(role.ext_key_usage);
  readPolicies(role.policy_identifiers);
  if (role.not_after !== "") parseNotAfter(role.not_after);
  if (role.serial_number_source !== "json" && role.serial_number_source !== "json-csr") {
    throw badRequest(`unknown serial_number_source ${JSON.stringify(role.serial_number_source)}`);
  }
  if (role.issuer_ref.includes("/")) throw badRequest("issuer_ref is an issuer's id, its name, or default");
}

function checkValidations(validations: readonly string[]): void {
  for (const name of validations) {
    if (name === "email" || name === "hostname" || name === "disabled") continue;
    throw badRequest(`cn_validations value incorrect: unknown type: \`${name}\``);
  }
  if (validations.length > 1 && validations.includes("disabled")) {
    throw badRequest(
      "cn_validations value incorrect: cannot specify `disabled` along with `email` or `hostname`",
    );
  }
}

import { badRequest } from "../../../base/errors.ts";
import { matchesGlob } from "../../../base/glob.ts";
import { isLooseName } from "../roles/hostname.ts";
import { isCommonNameAllowed, isNameAllowed } from "../roles/names.ts";
import type { Role } from "../roles/role.ts";
import type { AltNames, OtherName } from "../x509/general-names.ts";
import { OTHER_NAME } from "./requested.ts";

/** All that a certificate is to call its subject. */
export interface RequestedNames {
  /** Empty: none. */
  readonly commonName: string;
  /** The subject's attribute; empty: none. */
  readonly serialNumber: string;
  readonly userIds: readonly string[];
  readonly names: AltNames;
  /** Whether the names come from the request to be signed, for messages. */
  readonly fromCsr: boolean;
}

/**
 * Holds the names against a role.
 * @param role - Its templates filled.
 * @throws ApiError 400 for the first name that it does not allow. @see reference: which names a role allows.
 */
export function checkNames(role: Role, requested: RequestedNames): void {
  const { commonName, serialNumber, userIds, names, fromCsr } = requested;
  if (commonName !== "" && !isCommonNameAllowed(role, commonName)) {
    throw badRequest(`common name ${commonName} not allowed by this role`);
  }
  if (serialNumber !== "" && !matchesAny(role.allowed_serial_numbers, serialNumber)) {
    throw badRequest(`serial_number ${serialNumber} not allowed by this role`);
  }
  for (const id of userIds) {
    if (!matchesAny(role.allowed_user_ids, id)) throw badRequest(`user_id ${id} is not allowed by this role`);
  }
  for (const name of names.dns) {
    if (!isNameAllowed(role, name) || !isLooseName(name)) {
      throw badRequest(`subject alternate name ${name} not allowed by this role`);
    }
  }
  for (const email of names.emails) {
    if (!isNameAllowed(role, email)) throw badRequest(`email address ${email} not allowed by this role`);
  }
  checkAddresses(role, names.ips, fromCsr);
  checkUris(role, names.uris, fromCsr);
  for (const other of names.others) checkOther(role, other);
}

function matchesAny(globs: readonly string[], text: string): boolean {
  // What is not printable is not what a glob's author saw.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
  return !/[\x00-\x1f\x7f]/.test(text) && globs.some((glob) => matchesGlob(glob, text));
}

function checkAddresses(role: Role, ips: readonly string[], fromCsr: boolean): void {
  if (role.allow_ip_sans || ips.length === 0) return;
  const source = fromCsr ? "CSR" : "the API";
  throw badRequest(
    `IP Subject Alternative Names are not allowed in this role, but was provided via ${source}`,
  );
}

function checkUris(role: Role, uris: readonly string[], fromCsr: boolean): void {
  if (uris.length === 0) return;
  const source = fromCsr ? "CSR" : "the API";
  if (role.allowed_uri_sans.length === 0) {
    throw badRequest(
      `URI Subject Alternative Names are not allowed in this role, but were provided via ${source}`,
    );
  }
  if (uris.some((uri) => !matchesAny(role.allowed_uri_sans, uri))) {
    throw badRequest(
      `URI Subject Alternative Names were provided via ${source} which are not valid for this role`,
    );
  }
}

function checkOther(role: Role, { oid, value }: OtherName): void {
  if (role.allowed_other_sans.includes("*")) return;
  const globs = role.allowed_other_sans.flatMap((allowed) => {
    const [, type, glob] = OTHER_NAME.exec(allowed) ?? [];
    return type === oid && glob !== undefined ? [glob] : [];
  });
  if (globs.length === 0) throw badRequest(`other SAN OID ${oid} not allowed by this role`);
  if (matchesAny(globs, value)) return;
  throw badRequest(`other SAN ${value} not allowed for OID ${oid} by this role`);
}

import type { KeyObject } from "node:crypto";
import { badRequest, messageOf } from "../../../base/errors.ts";
import type { Role } from "../roles/role.ts";
import { DerError } from "../x509/asn1.ts";
import { type Csr, csrKey, provesPossession, readCsr } from "../x509/csr.ts";
import { type KeyKind, keyKind, kindOf } from "../x509/keys.ts";
import { decodeName } from "../x509/name.ts";
import { pemBlocks } from "../x509/pem.ts";

const CSR_CHARS_MAX = 128 * 1024;
const RSA_BITS_MAX = 8192;

/** A request whose signature is good, and what key it is for. */
export interface CheckedCsr {
  readonly csr: Csr;
  readonly kind: KeyKind;
}

/** Reads a request in PEM, and verifies that who made it has the key. @throws ApiError 400 */
export function checkedCsr(text: string): CheckedCsr {
  if (text.trim() === "") throw badRequest('"csr" is empty');
  return checkCsr(parse(csrDer(text)));
}

/** As {@link checkedCsr}, in DER. @throws ApiError 400 */
export function checkedCsrDer(der: Buffer): CheckedCsr {
  return checkCsr(parse(der));
}

function csrDer(text: string): Buffer {
  if (text.length > CSR_CHARS_MAX) throw badRequest("the csr is too long");
  try {
    const [first] = pemBlocks(text);
    if (first !== undefined) return first.der;
  } catch (error) {
    throw badRequest(`csr contains no data: ${messageOf(error)}`, error);
  }
  throw badRequest("csr contains no data");
}

function parse(der: Buffer): Csr {
  try {
    const csr = readCsr(der);
    decodeName(csr.subject);
    return csr;
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw badRequest(`certificate request could not be parsed: ${error.message}`, error);
  }
}

function checkCsr(csr: Csr): CheckedCsr {
  const key = keyOf(csr);
  const kind = kindOf(key);
  if (kind === null) throw badRequest("the csr is for a key of a type that is not supported");
  if (kind.type === "rsa" && kind.bits < 2048) {
    throw badRequest("RSA keys < 2048 bits are unsafe and not supported");
  }
  // A huge key makes every check of its signatures slow.
  if (kind.type === "rsa" && kind.bits > RSA_BITS_MAX) {
    throw badRequest(`RSA keys > ${RSA_BITS_MAX} bits are not supported`);
  }
  if (!provesPossession(csr, key)) throw badRequest("request signature invalid");
  return { csr, kind };
}

function keyOf(csr: Csr): KeyObject {
  try {
    return csrKey(csr);
  } catch (error) {
    throw badRequest("the csr is for a key of a type that is not supported", error);
  }
}

/** Whether a role takes requests for a key. @throws ApiError 400 */
export function checkKeyOfCsr(role: Role, kind: KeyKind): void {
  if (role.key_type === "any") return;
  if (role.key_type !== kind.type) throw badRequest(`role requires keys of type ${role.key_type}`);
  const wanted = keyKind(role.key_type, role.key_bits);
  if (kind.bits < wanted.bits) {
    throw badRequest(
      `role requires a minimum of a ${wanted.bits}-bit key, but CSR's key is ${kind.bits} bits`,
    );
  }
}

import type { KeyObject } from "node:crypto";
import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { certificateOf } from "../issuers/chain.ts";
import type { IssuerRecord } from "../issuers/record.ts";
import { colonSerial } from "../serial.ts";
import { isSelfSigned } from "../x509/certificate.ts";
import { type KeyType, privateKeyDer, privateKeyPem } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";
import { FORMATS, type Format } from "./fields.ts";

/** A certificate that was issued. */
export interface Issued {
  readonly der: Buffer;
  /** Hex. */
  readonly serial: string;
  /** Milliseconds. */
  readonly notAfter: number;
  /** Certificates in DER: the issuer's, and on upwards. */
  readonly chain: readonly Buffer[];
}

export interface AnswerForm {
  readonly format: Format;
  readonly keyForm: "native" | "pkcs8";
}

/** @throws ApiError 400 for a form that there is not. */
export function answerForm(format: string, privateKeyFormat: string): AnswerForm {
  const known = FORMATS.find((one) => one === format);
  if (known === undefined) {
    throw badRequest('the "format" path parameter must be "pem", "der", or "pem_bundle"');
  }
  return { format: known, keyForm: keyFormOf(privateKeyFormat) };
}

/** @throws ApiError 400 for a form that there is not. */
export function keyFormOf(privateKeyFormat: string): "native" | "pkcs8" {
  if (!["", "der", "pem", "pkcs8"].includes(privateKeyFormat)) {
    throw badRequest('the "private_key_format" parameter must be "der", "pem", or "pkcs8"');
  }
  return privateKeyFormat === "pkcs8" ? "pkcs8" : "native";
}

/** The certificates of a chain, in DER. */
export function chainDer(
  chain: readonly IssuerRecord[],
  { withoutRoots = false }: { readonly withoutRoots?: boolean } = {},
): readonly Buffer[] {
  return chain.flatMap((issuer) => {
    if (withoutRoots && isSelfSigned(certificateOf(issuer))) return [];
    return [Buffer.from(issuer.certificate, "base64")];
  });
}

const certificatePem = (der: Buffer): string => pem("CERTIFICATE", der);
const base64 = (der: Buffer): string => der.toString("base64");

/**
 * A certificate as `issue` and `sign` answer it.
 * @param issuer - In DER.
 * @param key - The private key, where it was made here.
 * @see reference: PKI answer fields.
 */
export function describeIssued(
  { der, serial, notAfter, chain }: Issued,
  issuer: Buffer,
  form: AnswerForm,
  key?: KeyObject,
): JsonObject {
  const encode = form.format === "der" ? base64 : certificatePem;
  const keyFields = key === undefined ? {} : describeKey(key, form);
  const parts = [
    ...(key === undefined ? [] : [privateKeyPem(key, form.keyForm)]),
    ...[der, ...chain].map(certificatePem),
  ];
  return {
    ...keyFields,
    certificate: form.format === "pem_bundle" ? parts.join("\n") : encode(der),
    issuing_ca: encode(issuer),
    ca_chain: chain.map(encode),
    serial_number: colonSerial(serial),
    expiration: Math.floor(notAfter / 1000),
  };
}

/** A private key as answers show it, once. */
export function describeKey(key: KeyObject, { format, keyForm }: AnswerForm): JsonObject {
  return {
    private_key: format === "der" ? base64(privateKeyDer(key, keyForm)) : privateKeyPem(key, keyForm),
    private_key_type: (key.asymmetricKeyType ?? "") as KeyType,
  };
}

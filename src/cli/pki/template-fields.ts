import type { X509Certificate } from "node:crypto";
import type { JsonObject } from "../../base/json.ts";

/** Subject attributes, as node:crypto names them, with the parameters that set them. */
const SUBJECT: Readonly<Record<string, string>> = {
  CN: "common_name",
  O: "organization",
  OU: "ou",
  C: "country",
  L: "locality",
  ST: "province",
  street: "street_address",
  STREET: "street_address",
  postalCode: "postal_code",
  serialNumber: "serial_number",
};

const ALT_NAMES: Readonly<Record<string, string>> = {
  DNS: "alt_names",
  email: "alt_names",
  "IP Address": "ip_sans",
  URI: "uri_sans",
};

/**
 * The parameters that would make a certificate like this one: subject, alternative names, key type and size, and for how
 * long it was valid.
 */
export function templateFields(certificate: X509Certificate): JsonObject {
  const { validFrom, validTo } = certificate;
  const seconds = Math.round((Date.parse(validTo) - Date.parse(validFrom)) / 1000);
  const subject = grouped(certificate.subject.split("\n"), "=", SUBJECT);
  const names = grouped((certificate.subjectAltName ?? "").split(", "), ":", ALT_NAMES);
  const isAmongNames = String(names.alt_names ?? "")
    .split(",")
    .includes(String(subject.common_name ?? ""));
  return {
    ...subject,
    ...names,
    ...(isAmongNames ? {} : { exclude_cn_from_sans: true }),
    ...keyFields(certificate),
    ttl: `${seconds}s`,
  };
}

function grouped(
  lines: readonly string[],
  separator: string,
  names: Readonly<Record<string, string>>,
): JsonObject {
  const values = new Map<string, string[]>();
  for (const line of lines) {
    const at = line.indexOf(separator);
    const name = names[line.slice(0, at)];
    if (at > 0 && name !== undefined) values.set(name, [...(values.get(name) ?? []), line.slice(at + 1)]);
  }
  return Object.fromEntries([...values].map(([name, list]) => [name, list.join(",")]));
}

const CURVE_BITS: Readonly<Record<string, number>> = {
  secp224r1: 224,
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

function keyFields({ publicKey }: X509Certificate): JsonObject {
  const { modulusLength, namedCurve = "" } = publicKey.asymmetricKeyDetails ?? {};
  const type = publicKey.asymmetricKeyType ?? "rsa";
  const bits = type === "rsa" ? modulusLength : CURVE_BITS[namedCurve];
  return { key_type: type, ...(bits === undefined ? {} : { key_bits: bits }) };
}

/** Object identifiers, by the names that the standards give them. */
export const OID = {
  // Attributes of names (ITU-T X.520; RFC 4519).
  commonName: "2.5.4.3",
  serialNumber: "2.5.4.5",
  country: "2.5.4.6",
  locality: "2.5.4.7",
  province: "2.5.4.8",
  streetAddress: "2.5.4.9",
  organization: "2.5.4.10",
  organizationalUnit: "2.5.4.11",
  postalCode: "2.5.4.17",
  userId: "0.9.2342.19200300.100.1.1",
  emailAddress: "1.2.840.113549.1.9.1",
  domainComponent: "0.9.2342.19200300.100.1.25",
  // Extensions (RFC 5280 section 4.2).
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  reasonCode: "2.5.29.21",
  deltaCrlIndicator: "2.5.29.27",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  authorityKeyId: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  freshestCrl: "2.5.29.46",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
  /** Of the time before RFC 3280. It makes CAs, too. */
  netscapeCertType: "2.16.840.1.113730.1.1",
  ocsp: "1.3.6.1.5.5.7.48.1",
  caIssuers: "1.3.6.1.5.5.7.48.2",
  cps: "1.3.6.1.5.5.7.2.1",
  userNotice: "1.3.6.1.5.5.7.2.2",
  /** Of a PKCS#10 request (RFC 2985 section 5.4.2). */
  extensionRequest: "1.2.840.113549.1.9.14",
  // Keys and signatures (RFC 4055, RFC 5758, RFC 8410).
  rsaEncryption: "1.2.840.113549.1.1.1",
  mgf1: "1.2.840.113549.1.1.8",
  rsaPss: "1.2.840.113549.1.1.10",
  sha1WithRsa: "1.2.840.113549.1.1.5",
  sha256WithRsa: "1.2.840.113549.1.1.11",
  sha384WithRsa: "1.2.840.113549.1.1.12",
  sha512WithRsa: "1.2.840.113549.1.1.13",
  ecdsaWithSha1: "1.2.840.10045.4.1",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  ecdsaWithSha384: "1.2.840.10045.4.3.3",
  ecdsaWithSha512: "1.2.840.10045.4.3.4",
  ed25519: "1.3.101.112",
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
} as const;

/** Extended key usages by Go's names, as roles have them, in lower case. @see reference: roles, ext_key_usage. */
export const EXT_KEY_USAGES: ReadonlyMap<string, string> = new Map([
  ["any", "2.5.29.37.0"],
  ["serverauth", "1.3.6.1.5.5.7.3.1"],
  ["clientauth", "1.3.6.1.5.5.7.3.2"],
  ["codesigning", "1.3.6.1.5.5.7.3.3"],
  ["emailprotection", "1.3.6.1.5.5.7.3.4"],
  ["ipsecendsystem", "1.3.6.1.5.5.7.3.5"],
  ["ipsectunnel", "1.3.6.1.5.5.7.3.6"],
  ["ipsecuser", "1.3.6.1.5.5.7.3.7"],
  ["timestamping", "1.3.6.1.5.5.7.3.8"],
  ["ocspsigning", "1.3.6.1.5.5.7.3.9"],
  ["microsoftservergatedcrypto", "1.3.6.1.4.1.311.10.3.3"],
  ["netscapeservergatedcrypto", "2.16.840.1.113730.4.1"],
  ["microsoftcommercialcodesigning", "1.3.6.1.4.1.311.2.1.22"],
  ["microsoftkernelcodesigning", "1.3.6.1.4.1.311.61.1.1"],
]);

/** The bits of a key usage by Go's names, in lower case (RFC 5280 section 4.2.1.3). */
export const KEY_USAGE_BITS: ReadonlyMap<string, number> = new Map([
  ["digitalsignature", 0],
  ["contentcommitment", 1],
  ["keyencipherment", 2],
  ["dataencipherment", 3],
  ["keyagreement", 4],
  ["certsign", 5],
  ["crlsign", 6],
  ["encipheronly", 7],
  ["decipheronly", 8],
]);

/** An object identifier that DER can hold: arcs without leading zeros, the first below 3, the second below 40 under 0 and 1. */
export function isOid(text: string): boolean {
  if (!/^[0-2](?:\.(?:0|[1-9]\d{0,8}))+$/.test(text)) return false;
  const [first, second] = text.split(".").map(Number);
  return first === 2 || (second ?? 0) < 40;
}

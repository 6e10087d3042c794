import type { KeyObject } from "node:crypto";
import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { randomUuid } from "../../../base/random.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { newIssuer, newKey } from "../issuers/add.ts";
import { type CaSet, changeCas } from "../issuers/change.ts";
import type { IssuerRecord, KeyRecord } from "../issuers/record.ts";
import { DerError } from "../x509/asn1.ts";
import { type Certificate, checkParts, isCa, readCertificate } from "../x509/certificate.ts";
import { kindOf, publicKeyDer, readPrivateKey } from "../x509/keys.ts";
import { type PemBlock, pemBlocks } from "../x509/pem.ts";

/** A shorter text is no PEM at all. @see reference: import. */
const PEM_CHARS_MIN = 75;
const PEM_CHARS_MAX = 4 * 1024 * 1024;

/** What a bundle holds. */
export interface Bundle {
  readonly certificates: readonly Certificate[];
  readonly keys: readonly KeyObject[];
}

/** Reads certificates of CAs and private keys. @throws ApiError 400 for anything else; nothing secret in its text. */
export function readBundle(text: string): Bundle {
  if (text.trim().length < PEM_CHARS_MIN) {
    throw badRequest(
      "provided data for import was too short; perhaps a path was passed to the API rather than the contents of a PEM file",
    );
  }
  if (text.length > PEM_CHARS_MAX) throw badRequest("provided data for import was too long");
  const blocks = blocksOf(text);
  // Left out without a word, a key would be missed only when it is needed.
  if (blocks.length < text.split("-----BEGIN ").length - 1) {
    throw badRequest("provided data for import holds a block of PEM that is encrypted or damaged");
  }
  if (blocks.length === 0) throw badRequest("provided data for import holds no PEM");
  const certificates = blocks.filter(({ label }) => isCertificate(label)).map(certificateIn);
  const keys = blocks.filter(({ label }) => label.endsWith("PRIVATE KEY")).map(keyIn);
  const other = blocks.find(({ label }) => !isCertificate(label) && !label.endsWith("PRIVATE KEY"));
  if (other !== undefined && other.label !== "EC PARAMETERS") {
    throw badRequest(`provided data for import holds a block of an unknown type: ${other.label}`);
  }
  return { certificates, keys };
}

const isCertificate = (label: string): boolean => label === "CERTIFICATE" || label === "X509 CERTIFICATE";

function blocksOf(text: string): readonly PemBlock[] {
  try {
    return pemBlocks(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest("provided data for import holds PEM that is not base64");
  }
}

function certificateIn({ der }: PemBlock): Certificate {
  let certificate: Certificate;
  let ca: boolean;
  try {
    certificate = readCertificate(der);
    checkParts(certificate);
    ca = isCa(certificate);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw badRequest(`failed to parse certificate: ${error.message}`, error);
  }
  if (!ca)
    throw badRequest(
      "unable to import certificate: it is not a CA's (Basic Constraints: CA=false, or absent)",
    );
  return certificate;
}

function keyIn({ label, der }: PemBlock): KeyObject {
  const key = readPrivateKey(label, der);
  if (key === null || kindOf(key) === null) {
    throw badRequest(
      "failed to parse private key: it is encrypted, damaged, or of a type that is not supported",
    );
  }
  return key;
}

interface Draft {
  set: CaSet;
  readonly importedIssuers: string[];
  readonly existingIssuers: string[];
  readonly importedKeys: string[];
  readonly existingKeys: string[];
  readonly mapping: Record<string, string>;
}

/**
 * Adds issuers and keys, as one commit; what is there already stays as it is, and keys find their issuers.
 * @param names - For a single key.
 * @returns The answer. @see reference: import of bundles.
 */
export function importBundle(
  context: MountContext,
  { certificates, keys }: Bundle,
  checkSet: (set: CaSet) => void = () => undefined,
  keyName = "",
): Promise<JsonObject> {
  const { random } = context;
  return changeCas(context, (present) => {
    checkSet(present);
    const draft: Draft = {
      set: present,
      importedIssuers: [],
      existingIssuers: [],
      importedKeys: [],
      existingKeys: [],
      mapping: {},
    };
    for (const key of keys) addKey(draft, key, randomUuid(random), keyName);
    for (const certificate of certificates) addIssuer(draft, certificate, randomUuid(random));
    return { set: withDefaults(draft, present), result: describe(draft) };
  });
}

function addKey(draft: Draft, key: KeyObject, id: string, name: string): void {
  const publicKey = publicKeyDer(key).toString("base64");
  const existing = draft.set.keys.find((one) => one.publicKey === publicKey);
  if (existing !== undefined) {
    draft.existingKeys.push(existing.id);
    return;
  }
  const record: KeyRecord = newKey(id, name, key);
  // Issuers that came without their key have waited for it.
  const issuers = draft.set.issuers.map((issuer) =>
    issuer.keyId === "" && spkiOf(issuer) === publicKey ? { ...issuer, keyId: id } : issuer,
  );
  draft.set = { ...draft.set, issuers, keys: [...draft.set.keys, record] };
  draft.importedKeys.push(id);
}

function spkiOf({ certificate }: IssuerRecord): string {
  return readCertificate(Buffer.from(certificate, "base64")).publicKey.toString("base64");
}

function addIssuer(draft: Draft, certificate: Certificate, id: string): void {
  const der = certificate.der.toString("base64");
  const existing = draft.set.issuers.find((issuer) => issuer.certificate === der);
  if (existing !== undefined) {
    if (!draft.existingIssuers.includes(existing.id)) draft.existingIssuers.push(existing.id);
    draft.mapping[existing.id] = existing.keyId;
    return;
  }
  const publicKey = certificate.publicKey.toString("base64");
  const keyId = draft.set.keys.find((key) => key.publicKey === publicKey)?.id ?? "";
  const issuer = newIssuer(id, "", keyId, certificate);
  draft.set = { ...draft.set, issuers: [...draft.set.issuers, issuer] };
  draft.importedIssuers.push(id);
  draft.mapping[id] = keyId;
}

/** The first of all becomes the default; the only one with a key does, where the default follows the latest. */
function withDefaults({ set, importedIssuers, importedKeys }: Draft, present: CaSet): CaSet {
  const imported = importedIssuers.map((id) => set.issuers.find((issuer) => issuer.id === id));
  const withKeys = imported.filter((issuer) => issuer !== undefined && issuer.keyId !== "");
  const [first] = withKeys;
  const follows = present.defaultFollowsLatest && withKeys.length === 1;
  const isFirst = present.defaultIssuer === "" && present.issuers.length === 0;
  const candidate = first?.id ?? importedIssuers[0] ?? "";
  return {
    ...set,
    defaultIssuer: follows || isFirst ? candidate || present.defaultIssuer : present.defaultIssuer,
    defaultKey: present.defaultKey || (importedKeys[0] ?? ""),
  };
}

function describe(draft: Draft): JsonObject {
  return {
    mapping: draft.mapping,
    imported_issuers: draft.importedIssuers,
    imported_keys: draft.importedKeys,
    existing_issuers: draft.existingIssuers,
    existing_keys: draft.existingKeys,
  };
}

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import { type EngineRequest, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { addKey, checkNewKey, isHmacKeySize, type NewKey, newRecord } from "./create-key.ts";
import { COMMON } from "./fields.ts";
import { isAsymmetric, KEY_TYPE_DEFAULT, KEY_TYPE_NAMES, type KeyType } from "./key-types.ts";
import {
  fitsType,
  hmacMaterial,
  type MaterialRecord,
  materialWrite,
  privateMaterial,
  publicMaterial,
  readMaterial,
  symmetricMaterial,
} from "./material.ts";
import { refuseSoftDeleted, type TransitMount } from "./mount.ts";
import { changeKey, type KeyChange, readKey, type StoredKey } from "./record.ts";
import { oaepHash, unwrapKey } from "./wrapping-key.ts";

const SOURCE_FIELDS = {
  name: COMMON.name,
  ciphertext: field.string({
    description:
      "Base64 of an AES-256 key encrypted for the wrapping key with RSA-OAEP, and of the key wrapped with it by AES-KWP.",
  }),
  public_key: field.string({ description: "Instead of it, the public half of an asymmetric key, in PEM." }),
  hash_function: field.string({
    description: "OAEP's: SHA1, SHA224, SHA256, SHA384 or SHA512.",
    default: "SHA256",
  }),
};

const IMPORT_FIELDS = {
  ...SOURCE_FIELDS,
  type: field.string({
    description: "What kind of key it is.",
    default: KEY_TYPE_DEFAULT,
    allowed: KEY_TYPE_NAMES,
  }),
  allow_rotation: field.bool({ description: "Let versions be made here as well." }),
  derived: field.bool({ description: "Derive a key of its own for each context that requests give." }),
  exportable: field.bool({ description: "Let the key be exported." }),
  allow_plaintext_backup: field.bool({ description: "Let the key be backed up in plaintext." }),
  context: COMMON.context,
  auto_rotate_period: field.duration({
    description: "After how long a new version is made by itself; 0 for never, else at least an hour.",
    default: 0,
  }),
};

const VERSION_FIELDS = {
  ...SOURCE_FIELDS,
  version: field.int({ description: "The version whose private half this is; 0 for a new version." }),
};

/** `keys/:name/import` and `keys/:name/import_version`. @see reference: transit, key paths. */
export function importPaths(mount: TransitMount): PathSpec[] {
  return [
    path({
      pattern: "keys/:name/import",
      fields: IMPORT_FIELDS,
      help: { synopsis: "Bring in a key that was made elsewhere." },
      operations: {
        update: { summary: "Bring in a key.", handler: async (request) => importKey(mount, request) },
      },
    }),
    path({
      pattern: "keys/:name/import_version",
      fields: VERSION_FIELDS,
      help: { synopsis: "Bring in a new version of a key that was brought in." },
      operations: {
        update: { summary: "Bring in a version.", handler: async (request) => importVersion(mount, request) },
      },
    }),
  ];
}

/** Where a key comes from: exactly one of the two. */
function checkSource({
  ciphertext,
  public_key: publicKey,
}: {
  ciphertext: string;
  public_key: string;
}): void {
  if (ciphertext !== "" && publicKey !== "") {
    throw badRequest("only one of the following fields, ciphertext and public_key, can be set");
  }
  if (ciphertext === "" && publicKey === "") {
    throw badRequest("one of the following fields, ciphertext and public_key, must be set");
  }
}

const EXISTS =
  "the import path cannot be used with an existing key; use import-version to rotate an existing imported key";

async function importKey(
  mount: TransitMount,
  { values }: EngineRequest<typeof IMPORT_FIELDS>,
): Promise<undefined> {
  const { context } = mount;
  checkSource(values);
  const wanted: NewKey = {
    type: values.type,
    keySize: 0,
    derived: values.derived,
    convergent: false,
    exportable: values.exportable,
    allowPlaintextBackup: values.allow_plaintext_backup,
    autoRotateSeconds: values.auto_rotate_period,
  };
  const type = checkNewKey(wanted);
  if (values.auto_rotate_period > 0 && !values.allow_rotation) {
    throw badRequest("allow_rotation must be set to true if auto-rotation is enabled");
  }
  if (values.derived && values.public_key !== "") {
    throw badRequest("keys are derived from the private key: derived cannot be set with public_key");
  }
  if ((await readKey(context.storage, values.name)) !== null) throw badRequest(EXISTS);
  const material = await materialFrom(mount, type, values);
  const keyBytes = type.family === "hmac" ? Buffer.from(material.hmacKey, "base64").length : 0;
  const record = {
    ...newRecord(wanted, type, randomUuid(context.random), context.clock.now()),
    keyBytes,
    imported: true,
    importedAllowsRotation: values.allow_rotation,
  };
  const { isNew } = await addKey(context, values.name, type, record, material);
  if (!isNew) throw badRequest(EXISTS);
  return undefined;
}

async function importVersion(
  mount: TransitMount,
  { values }: EngineRequest<typeof VERSION_FIELDS>,
): Promise<undefined> {
  checkSource(values);
  const { name, version } = values;
  const missing = `no key found with name ${name}; to import a new key, use the import/ endpoint`;
  await changeKey(mount.context.storage, name, missing, async (key): Promise<KeyChange<undefined>> => {
    refuseSoftDeleted(key);
    const { record } = key;
    if (!record.imported) {
      throw badRequest("the import_version endpoint can only be used with an imported key");
    }
    const material = await materialFrom(mount, key.type, values);
    if (version === 0) {
      const number = record.latestVersion + 1;
      const next = { ...record, latestVersion: number, rotatedAt: mount.context.clock.now() };
      return { record: next, also: [materialWrite(record.id, number, material)], result: undefined };
    }
    const completed = await completeVersion(mount, key, version, material);
    const next = { ...record, revision: record.revision + 1 };
    return { record: next, also: [materialWrite(record.id, version, completed)], result: undefined };
  });
  return undefined;
}

/** Adds the private half to a version of which only the public one was known. @throws ApiError 400 when they do not belong together. */
async function completeVersion(
  { context: { storage } }: TransitMount,
  { record }: StoredKey,
  number: number,
  given: MaterialRecord,
): Promise<MaterialRecord> {
  if (number < 0 || number > record.latestVersion) throw badRequest(`version ${number} does not exist`);
  const present = await readMaterial(storage, record.id, number);
  if (present === null) throw badRequest(`version ${number} does not exist`);
  if (present.secret !== null || given.secret === null) {
    throw badRequest(`version ${number} can only be given its private key, and only once`);
  }
  if (present.publicKey !== given.publicKey) {
    throw badRequest(`the private key does not belong to the public key of version ${number}`);
  }
  return { ...present, secret: given.secret };
}

async function materialFrom(
  { context }: TransitMount,
  type: KeyType,
  {
    ciphertext,
    public_key: pem,
    hash_function: hash,
  }: { ciphertext: string; public_key: string; hash_function: string },
): Promise<MaterialRecord> {
  const { random, clock, storage } = context;
  const now = clock.now();
  if (pem !== "") {
    if (!isAsymmetric(type))
      throw badRequest(`provided type ${type.name} does not support public_key import`);
    return publicMaterial(checked(type, readPublicKey(pem)), random, now);
  }
  const key = await unwrapKey(storage, ciphertext, oaepHash(hash));
  if (type.family === "aead") {
    if (key.length !== type.keyBytes) {
      throw badRequest(`invalid key size ${key.length} bytes for key type ${type.name}`);
    }
    return symmetricMaterial(key, random, now);
  }
  if (type.family === "hmac") {
    if (!isHmacKeySize(key.length))
      throw badRequest(`invalid key size ${key.length} bytes for key type hmac`);
    return hmacMaterial(key, now);
  }
  return privateMaterial(type, checked(type, readPrivateKey(key)), random, now);
}

function readPublicKey(pem: string): KeyObject {
  // A private key's PEM would be taken for its public half.
  if (pem.includes("PRIVATE KEY")) throw badRequest("public_key holds a private key");
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw badRequest("error parsing public key: it is not a public key in PEM", error);
  }
}

function readPrivateKey(der: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch {
    // The cause could show parts of the key.
    throw badRequest("error parsing asymmetric key: it is not PKCS #8 DER");
  }
}

/** @throws ApiError 400 for a key that is not of the type. */
function checked(type: KeyType, key: KeyObject): KeyObject {
  if (!fitsType(type, key)) throw badRequest(`invalid key type: the key is not of type ${type.name}`);
  return key;
}

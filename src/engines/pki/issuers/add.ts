import { createHash, type KeyObject } from "node:crypto";
import { badRequest } from "../../../base/errors.ts";
import { NAME } from "../../../framework/path-match.ts";
import type { Certificate } from "../x509/certificate.ts";
import { type KeyType, kindOf, publicKeyDer, storedForm } from "../x509/keys.ts";
import type { CaSet } from "./change.ts";
import { type IssuerRecord, type KeyRecord, NO_URLS } from "./record.ts";
import { usagesIn } from "./usages.ts";

/** A key as it is kept. @param name - Empty: none. */
export function newKey(id: string, name: string, key: KeyObject): KeyRecord {
  const type: KeyType | undefined = kindOf(key)?.type;
  if (type === undefined) throw badRequest("the key is of a type that is not supported");
  return {
    id,
    name,
    type,
    privateKey: storedForm(key),
    publicKey: publicKeyDer(key).toString("base64"),
  };
}

/** An issuer as it is first kept. @param keyId - Empty: its key is not here. */
export function newIssuer(id: string, name: string, keyId: string, certificate: Certificate): IssuerRecord {
  return {
    id,
    name,
    keyId,
    certificate: certificate.der.toString("base64"),
    manualChain: [],
    caChain: [],
    leafNotAfter: "err",
    usage: usagesIn(certificate),
    revocationSignatureAlgorithm: "",
    urls: NO_URLS,
    revokedAt: null,
    crlScope: crlScopeOf(certificate),
  };
}

/** What issuers have in common whose CRLs nobody can tell apart: the hash of subject and key. */
export function crlScopeOf({ subject, publicKey }: Pick<Certificate, "subject" | "publicKey">): string {
  return createHash("sha256").update(subject).update(publicKey).digest("hex").slice(0, 32);
}

/** The set with a key more, which becomes the default if there is none. */
export function withKey(set: CaSet, key: KeyRecord): CaSet {
  return { ...set, keys: [...set.keys, key], defaultKey: set.defaultKey || key.id };
}

/** The set with an issuer more, which becomes the default if there is none, or if the default follows the latest. */
export function withIssuer(set: CaSet, issuer: IssuerRecord): CaSet {
  const isDefault = set.defaultIssuer === "" || (set.defaultFollowsLatest && issuer.keyId !== "");
  return {
    ...set,
    issuers: [...set.issuers, issuer],
    defaultIssuer: isDefault ? issuer.id : set.defaultIssuer,
  };
}

/** @param ownId - The issuer that is to be called so, when it is there already. @throws ApiError 400 */
export function checkIssuerName(set: CaSet, name: string, ownId = ""): void {
  if (name === "") return;
  if (name.toLowerCase() === "default")
    throw badRequest("reserved keyword 'default' can not be used as issuer name");
  if (!NAME.test(name)) throw badRequest("issuer name contained invalid characters");
  if (set.issuers.some((issuer) => issuer.name === name && issuer.id !== ownId)) {
    throw badRequest("issuer name already in use");
  }
}

/** @param ownId - The key that is to be called so, when it is there already. @throws ApiError 400 */
export function checkKeyName(set: CaSet, name: string, ownId = ""): void {
  if (name === "") return;
  if (name.toLowerCase() === "default")
    throw badRequest("reserved keyword 'default' can not be used as key name");
  if (!NAME.test(name)) throw badRequest("key name contained invalid characters");
  if (set.keys.some((key) => key.name === name && key.id !== ownId)) {
    throw badRequest("key name already in use");
  }
}

import type { KeyObject } from "node:crypto";
import { badRequest } from "../../../base/errors.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import type { Certificate } from "../x509/certificate.ts";
import { fromStoredForm } from "../x509/keys.ts";
import { certificateOf } from "./chain.ts";
import {
  chainRecords,
  type IssuerRecord,
  type IssuerUrls,
  readAuthority,
  readIssuer,
  readKey,
  type Usage,
} from "./record.ts";
import { issuerIdOf } from "./resolve.ts";
import { urlsFor } from "./urls.ts";

/** An issuer with all that signing needs. */
export interface SigningIssuer {
  readonly record: IssuerRecord;
  readonly certificate: Certificate;
  readonly key: KeyObject;
  readonly urls: IssuerUrls;
}

/** An issuer that issues certificates. */
export interface IssuingAuthority extends SigningIssuer {
  /** Itself, and the CAs above it as far as they are known here. */
  readonly chain: readonly IssuerRecord[];
}

const REFUSALS: Readonly<Record<Usage, string>> = {
  "read-only": "",
  "issuing-certificates": "issuing certificates",
  "crl-signing": "signing CRLs",
  "ocsp-signing": "signing OCSP answers",
};

/**
 * Finds an issuer that may be used for something, and its key.
 * @param ref - Its id, its name, or `default`.
 * @throws ApiError 400 when there is none such, its usage does not allow it, or it has no key here.
 */
export async function signingIssuer(
  storage: EngineStorage,
  ref: string,
  usage: Usage,
): Promise<SigningIssuer> {
  const { authority } = await readAuthority(storage);
  const id = issuerIdOf(authority, ref);
  const record = id === "" ? null : await readIssuer(storage, id);
  if (record === null) {
    const isDefault = ref === "default" || ref === "";
    const reason = isDefault
      ? "no default issuer currently configured"
      : `unable to find PKI issuer for reference: ${ref}`;
    throw badRequest(`could not fetch the CA certificate (was one set?): ${reason}`);
  }
  return signingIssuerOf(storage, record, usage);
}

/** As {@link signingIssuer}, of one that is to issue certificates. */
export async function issuingAuthority(storage: EngineStorage, ref: string): Promise<IssuingAuthority> {
  const issuer = await signingIssuer(storage, ref, "issuing-certificates");
  return { ...issuer, chain: await chainRecords(storage, issuer.record) };
}

/** As {@link signingIssuer}, of an issuer that was read already. */
export async function signingIssuerOf(
  storage: EngineStorage,
  record: IssuerRecord,
  usage: Usage,
): Promise<SigningIssuer> {
  if (!record.usage.includes(usage)) {
    throw badRequest(
      `requested usage ${usage} for issuer [${record.id}] but issuer does not allow ${REFUSALS[usage]}`,
    );
  }
  const [key, urls] = await Promise.all([
    record.keyId === "" ? null : readKey(storage, record.keyId),
    urlsFor(storage, record),
  ]);
  if (key === null) {
    throw badRequest(`the issuer ${record.name || record.id} has no key here, and so cannot sign anything`);
  }
  return { record, certificate: certificateOf(record), key: fromStoredForm(key.privateKey), urls };
}

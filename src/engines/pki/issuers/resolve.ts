import { badRequest } from "../../../base/errors.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import {
  type Authority,
  type IssuerRecord,
  type KeyRecord,
  readAuthority,
  readIssuer,
  readKey,
} from "./record.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id that a reference means: `default`, a name, or an id. Empty: there is none such. */
export function issuerIdOf(authority: Authority, ref: string): string {
  if (ref === "default" || ref === "") return authority.defaultIssuer;
  if (UUID.test(ref)) return ref.toLowerCase();
  return Object.hasOwn(authority.issuerNames, ref) ? (authority.issuerNames[ref] ?? "") : "";
}

/** As {@link issuerIdOf}, of a key. */
export function keyIdOfRef(authority: Authority, ref: string): string {
  if (ref === "default" || ref === "") return authority.defaultKey;
  if (UUID.test(ref)) return ref.toLowerCase();
  return Object.hasOwn(authority.keyNames, ref) ? (authority.keyNames[ref] ?? "") : "";
}

/** Null: no such issuer. */
export async function findIssuer(storage: EngineStorage, ref: string): Promise<IssuerRecord | null> {
  const { authority } = await readAuthority(storage);
  const id = issuerIdOf(authority, ref);
  return id === "" ? null : readIssuer(storage, id);
}

/** Null: no such key. */
export async function findKey(storage: EngineStorage, ref: string): Promise<KeyRecord | null> {
  const { authority } = await readAuthority(storage);
  const id = keyIdOfRef(authority, ref);
  return id === "" ? null : readKey(storage, id);
}

/** @throws ApiError 400 in Vault's words, which a client shows (of a 404 it only says that there is no value). */
export async function requireIssuer(storage: EngineStorage, ref: string): Promise<IssuerRecord> {
  const issuer = await findIssuer(storage, ref);
  if (issuer !== null) return issuer;
  if (ref === "default") throw badRequest("no default issuer currently configured");
  throw badRequest(`unable to find PKI issuer for reference: ${ref}`);
}

import type { KeyObject } from "node:crypto";
import { badRequest } from "../../../base/errors.ts";
import { randomUuid } from "../../../base/random.ts";
import type { MountContext } from "../../../framework/backend.ts";
import type { Values } from "../../../framework/field.ts";
import { newKey } from "../issuers/add.ts";
import type { KeyRecord } from "../issuers/record.ts";
import { findKey } from "../issuers/resolve.ts";
import { checkKeyKind } from "../roles/check.ts";
import { fromStoredForm, generateKey, keyKind } from "../x509/keys.ts";
import type { CA_KEY_FIELDS } from "./fields.ts";

/** The key of a CA that is to be made. */
export interface KeyMaterial {
  readonly record: KeyRecord;
  readonly key: KeyObject;
  /** It was made now, and has to be kept. */
  readonly isNew: boolean;
  /** The caller is to see it. */
  readonly isShown: boolean;
}

type KeyTerms = Values<typeof CA_KEY_FIELDS>;

/** Whether a way to come by a key is one that there is. @throws ApiError 400 */
export function checkExported(exported: string): void {
  if (exported === "kms")
    throw badRequest("managed keys are of Vault's enterprise edition: there are none here");
  if (["internal", "exported", "existing"].includes(exported)) return;
  throw badRequest('the "exported" path parameter must be "internal", "existing", exported" or "kms"');
}

/** Makes the key that the terms ask for, or finds the one that they name. @throws ApiError 400 */
export async function keyMaterial(context: MountContext, terms: KeyTerms): Promise<KeyMaterial> {
  checkExported(terms.exported);
  if (terms.exported === "existing") {
    const record = await findKey(context.storage, terms.key_ref);
    if (record === null) throw badRequest(`unable to find PKI key for reference: ${terms.key_ref}`);
    return { record, key: fromStoredForm(record.privateKey), isNew: false, isShown: false };
  }
  checkKeyKind(terms.key_type === "any" ? "" : terms.key_type, terms.key_bits);
  const key = await generateKey(keyKind(terms.key_type, terms.key_bits));
  const record = newKey(randomUuid(context.random), terms.key_name, key);
  return { record, key, isNew: true, isShown: terms.exported === "exported" };
}

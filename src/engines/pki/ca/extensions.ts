import { badRequest } from "../../../base/errors.ts";
import type { Values } from "../../../framework/field.ts";
import { checkExtKeyUsageOids, extKeyUsageOids, keyUsageBits } from "../usage.ts";
import type { Extension } from "../x509/extensions.ts";
import * as extensions from "../x509/extensions.ts";
import { KEY_USAGE_BITS } from "../x509/oids.ts";
import type { CA_ISSUE_FIELDS } from "./fields.ts";
import { nameBounds } from "./name-bounds.ts";

type IssueTerms = Omit<Values<typeof CA_ISSUE_FIELDS>, "issuer_name">;

/** What makes a certificate a CA's, and bounds it. @throws ApiError 400 */
export function caExtensions(terms: IssueTerms): readonly Extension[] {
  const always = ["certsign", "crlsign"].map((name) => KEY_USAGE_BITS.get(name) ?? 0);
  const bits = [...new Set([...keyUsageBits(terms.key_usage), ...always])];
  checkExtKeyUsageOids(terms.ext_key_usage_oids);
  const purposes = [...new Set([...extKeyUsageOids(terms.ext_key_usage), ...terms.ext_key_usage_oids])];
  if (terms.max_path_length < -1) throw badRequest("max_path_length has to be -1 or more");
  return [
    extensions.keyUsage(bits),
    ...(purposes.length > 0 ? [extensions.extKeyUsage(purposes)] : []),
    extensions.caConstraints(terms.max_path_length),
    ...nameBounds(terms),
  ];
}

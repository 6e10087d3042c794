import { decodeBase64 } from "../../base/base64.ts";
import { badRequest, messageOf } from "../../base/errors.ts";
import { field } from "../../framework/field.ts";

/** Fields that many of the engine's paths have. */
export const COMMON = {
  name: field.string({ description: "The key's name." }),
  context: field.string({
    description:
      "Base64 of the context that the key is derived for; of derived keys only, where it is required.",
  }),
  key_version: field.int({ description: "The version to use; 0 for the latest." }),
  associated_data: field.string({
    description:
      "Base64 of data that are authenticated together with the plaintext and are not part of the ciphertext.",
  }),
  nonce: field.string({
    description: "Only for keys of Vault's first convergent form, which are not made any more: refused.",
    deprecated: true,
  }),
  batch_input: field.list({
    description:
      "Items to work on at once, each with the parameters that would otherwise be the request's own.",
    sensitive: true,
  }),
  partial_failure_response_code: field.int({
    description: "The status of an answer in which some items failed and some did not; 0 for 400.",
  }),
};

/** @param what - Begins the message: `failed to base64-decode context`. @throws ApiError 400 */
export function decoded(text: string, what: string): Buffer {
  try {
    return decodeBase64(text);
  } catch (error) {
    throw badRequest(`${what}: ${messageOf(error)}`);
  }
}

/** Vault says no more about a context. @throws ApiError 400 */
export function decodedContext(text: string | undefined): Buffer {
  if (text === undefined || text === "") return NOTHING;
  try {
    return decodeBase64(text);
  } catch (error) {
    throw badRequest("failed to base64-decode context", error);
  }
}

const NOTHING = Buffer.alloc(0);

/** How a text is padded under RSA. */
export type Padding = "oaep" | "pkcs1v15";

/** @throws ApiError 400 for a padding that there is not. */
export function paddingOf(scheme: string | undefined): Padding {
  if (scheme === undefined || scheme === "" || scheme === "oaep") return "oaep";
  if (scheme === "pkcs1v15") return scheme;
  throw badRequest(`unsupported padding scheme ${JSON.stringify(scheme)}`);
}

import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type EngineRequest, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type Item, readItems, runBatch } from "./batch.ts";
import { COMMON, decoded } from "./fields.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";
import { sign } from "./signature.ts";
import { readSigningOptions, SIGNING_FIELDS, type SigningOptions } from "./signing-options.ts";

const FIELDS = {
  name: COMMON.name,
  input: field.string({ description: "Base64 of what to sign.", sensitive: true }),
  context: COMMON.context,
  key_version: COMMON.key_version,
  ...SIGNING_FIELDS,
  batch_input: COMMON.batch_input,
};

/** `sign/:name`, and with the hash function at its end. @see reference: transit, sign. */
export function signPaths(mount: TransitMount): PathSpec[] {
  return ["sign/:name", "sign/:name/:urlalgorithm"].map((pattern) =>
    path({
      pattern,
      fields: FIELDS,
      help: { synopsis: "Sign an input, or a batch of them." },
      operations: { update: { summary: "Sign.", handler: (request) => handle(mount, request) } },
    }),
  );
}

async function handle(mount: TransitMount, { values, given }: EngineRequest<typeof FIELDS>): Promise<Reply> {
  const options = readSigningOptions(given);
  const { batch_input: batch } = given;
  const items = batch === undefined ? null : readItems(batch, null);
  const key = await mount.keyFor(values.name, "signing key not found");
  if (items === null) {
    const { signature, version, publicKey } = await signItem(mount, key, given, values.key_version, options);
    const shown = publicKey === "" ? {} : { public_key: publicKey };
    return { data: { key_version: version, signature, ...shown } };
  }
  return runBatch(items, 0, async (item): Promise<JsonObject> => {
    const wanted = item.key_version || values.key_version;
    const { signature, version, publicKey } = await signItem(mount, key, item, wanted, options);
    const shown = publicKey === "" ? {} : { publickey: publicKey };
    return { key_version: version, signature, ...shown };
  });
}

function signItem(
  mount: TransitMount,
  key: StoredKey,
  { input, context }: Item,
  wanted: number,
  options: SigningOptions,
) {
  return sign(mount, key, decodedInput(input), wanted, context, options);
}

/** @throws ApiError 400 for none, and for one that is no base64. */
export function decodedInput(input: string | undefined, missing = "input missing"): Buffer {
  if (input === undefined) throw badRequest(missing);
  return decoded(input, "unable to decode input as base64");
}

import { badRequest } from "../../base/errors.ts";
import { type EngineRequest, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type Item, readItems, runBatch } from "./batch.ts";
import { COMMON } from "./fields.ts";
import { HASH_DEFAULT } from "./hashes.ts";
import { digestNamed, verifyHmac } from "./hmac.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";
import { decodedInput } from "./sign-paths.ts";
import { verify } from "./signature.ts";
import { readSigningOptions, SIGNING_FIELDS } from "./signing-options.ts";

const FIELDS = {
  name: COMMON.name,
  input: field.string({ description: "Base64 of what was signed.", sensitive: true }),
  signature: field.string({ description: "The signature, with its prefix." }),
  hmac: field.string({ description: "The HMAC, with its prefix." }),
  context: COMMON.context,
  ...SIGNING_FIELDS,
  batch_input: COMMON.batch_input,
};

type Request = EngineRequest<typeof FIELDS>;
type Kind = "signature" | "hmac";

/** `verify/:name`, and with the hash function at its end. @see reference: transit, verify. */
export function verifyPaths(mount: TransitMount): PathSpec[] {
  return ["verify/:name", "verify/:name/:urlalgorithm"].map((pattern) =>
    path({
      pattern,
      fields: FIELDS,
      help: { synopsis: "Say whether signatures or HMACs are those of their inputs." },
      operations: { update: { summary: "Verify.", handler: (request) => handle(mount, request) } },
    }),
  );
}

async function handle(mount: TransitMount, { values, given }: Request): Promise<Reply> {
  const { batch_input: batch } = given;
  const items = batch === undefined ? null : readItems(batch, null);
  const kind = items === null ? kindOf(given) : kindOfAll(items);
  const check = checker(mount, kind, given);
  const key = await mount.keyFor(values.name, "signature verification key not found");
  if (items === null) return { data: { valid: await check(key, given) } };
  return runBatch(items, 0, async (item) => ({ valid: await check(key, item) }));
}

/** Reads what holds for all items, and makes of it the check of one. */
function checker(
  mount: TransitMount,
  kind: Kind,
  given: Request["given"],
): (key: StoredKey, item: Item) => Promise<boolean> {
  if (kind === "hmac") {
    const name = given.urlalgorithm || given.hash_algorithm || given.algorithm || HASH_DEFAULT;
    const hash = digestNamed(name, true);
    return (key, { input, hmac = "" }) => verifyHmac(mount, key, decodedInput(input), hmac, hash);
  }
  const options = readSigningOptions(given);
  return (key, { input, signature = "", context }) =>
    verify(mount, key, decodedInput(input), signature, context, options);
}

const has = (text: string | undefined): boolean => text !== undefined && text !== "";

function kindOf({ signature, hmac }: Item): Kind {
  if (has(signature) && has(hmac)) throw badRequest("provide one of 'signature' or 'hmac'");
  if (has(signature)) return "signature";
  if (has(hmac)) return "hmac";
  throw badRequest("neither a 'signature' nor an 'hmac' were given to verify");
}

function kindOfAll(items: readonly Item[]): Kind {
  const signatures = items.filter(({ signature }) => has(signature)).length;
  const hmacs = items.filter(({ hmac }) => has(hmac)).length;
  if (signatures > 0 && hmacs > 0) {
    throw badRequest("elements of batch_input must all provide 'signature' or all provide 'hmac'");
  }
  if (signatures === 0 && hmacs === 0) {
    throw badRequest("no batch_input elements have 'signature' or 'hmac'");
  }
  const kind = signatures > 0 ? "signature" : "hmac";
  if (Math.max(signatures, hmacs) < items.length) {
    throw badRequest(`some elements of batch_input are missing '${kind}'`);
  }
  return kind;
}

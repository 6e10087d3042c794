import { type EngineRequest, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { readItems, runBatch } from "./batch.ts";
import { NO_ENCRYPTION_KEY } from "./decrypt-path.ts";
import { COMMON } from "./fields.ts";
import { HASH_DEFAULT } from "./hashes.ts";
import { DIGEST_NAMES, digestNamed, makeHmac } from "./hmac.ts";
import type { TransitMount } from "./mount.ts";
import { decodedInput } from "./sign-paths.ts";

const FIELDS = {
  name: COMMON.name,
  input: field.string({ description: "Base64 of what to make an HMAC of.", sensitive: true }),
  algorithm: field.string({
    description: "The hash function.",
    default: HASH_DEFAULT,
    allowed: DIGEST_NAMES,
  }),
  urlalgorithm: field.string({ description: "The hash function; wins over algorithm." }),
  key_version: COMMON.key_version,
  batch_input: COMMON.batch_input,
};

const MISSING_INPUT = "missing input for HMAC";

/** `hmac/:name`, and with the hash function at its end. @see reference: transit, hmac. */
export function hmacPaths(mount: TransitMount): PathSpec[] {
  return ["hmac/:name", "hmac/:name/:urlalgorithm"].map((pattern) =>
    path({
      pattern,
      fields: FIELDS,
      help: { synopsis: "Make the HMAC of an input, or of a batch of them." },
      operations: { update: { summary: "Make an HMAC.", handler: (request) => handle(mount, request) } },
    }),
  );
}

async function handle(mount: TransitMount, { values, given }: EngineRequest<typeof FIELDS>): Promise<Reply> {
  const hash = digestNamed(given.urlalgorithm || given.algorithm || HASH_DEFAULT, true);
  const { batch_input: batch } = given;
  const items = batch === undefined ? null : readItems(batch, null);
  const key = await mount.keyFor(values.name, NO_ENCRYPTION_KEY);
  const one = (input: string | undefined): Promise<string> =>
    makeHmac(mount, key, decodedInput(input, MISSING_INPUT), values.key_version, hash);
  if (items === null) return { data: { hmac: await one(given.input) } };
  return runBatch(items, 0, async ({ input }) => ({ hmac: await one(input) }));
}

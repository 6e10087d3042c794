import { createHash } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { HASH_DEFAULT } from "./hashes.ts";
import { DIGEST_NAMES, digestNamed } from "./hmac.ts";
import { decodedInput } from "./sign-paths.ts";

/** `hash` and `random`, which need no key. @see reference: transit, hash and random. */
export function toolPaths({ random }: MountContext): PathSpec[] {
  return [
    hashPath("hash"),
    hashPath("hash/:urlalgorithm"),
    randomPath("random", random),
    randomPath("random/:source", random),
    randomPath("random/:source/:urlbytes", random),
  ];
}

function hashPath(pattern: string): PathSpec {
  return path({
    pattern,
    fields: {
      input: field.string({ description: "Base64 of what to hash.", required: true, sensitive: true }),
      algorithm: field.string({
        description: "The hash function.",
        default: HASH_DEFAULT,
        allowed: DIGEST_NAMES,
      }),
      urlalgorithm: field.string({ description: "The hash function; wins over algorithm." }),
      format: field.string({ description: "hex or base64.", default: "hex", allowed: ["hex", "base64"] }),
    },
    help: { synopsis: "Hash an input." },
    operations: {
      update: {
        summary: "Hash.",
        handler: async ({ values, given }) => {
          const hash = digestNamed(given.urlalgorithm || given.algorithm || HASH_DEFAULT, false);
          const format = readFormat(values.format, (name) => `unsupported encoding format ${name}`);
          const sum = createHash(hash.node).update(decodedInput(given.input)).digest(format);
          return { data: { sum } };
        },
      },
    },
  });
}

const RANDOM_FIELDS = {
  urlbytes: field.string({ description: "How many bytes; wins over bytes." }),
  bytes: field.int({ description: "How many bytes, 1 to 131071.", default: 32 }),
  format: field.string({ description: "base64 or hex.", default: "base64", allowed: ["base64", "hex"] }),
  source: field.string({
    description: "platform, seal or all; here they are one. In the URL also a number of bytes.",
    default: "platform",
    allowed: ["platform", "seal", "all"],
  }),
};

const RANDOM_BYTES_LIMIT = 131_072;
const SOURCES: ReadonlySet<string> = new Set(["platform", "seal", "all"]);

function randomPath(pattern: string, random: MountContext["random"]): PathSpec {
  return path({
    pattern,
    fields: RANDOM_FIELDS,
    help: { synopsis: "Give random bytes, fit for keys." },
    operations: {
      update: { summary: "Give random bytes.", handler: async (request) => giveRandom(random, request) },
    },
  });
}

function giveRandom(
  random: MountContext["random"],
  { values, given }: EngineRequest<typeof RANDOM_FIELDS>,
): Reply {
  const { source, urlbytes } = given;
  const isSource = source === undefined || source === "" || SOURCES.has(source);
  if (!isSource && (urlbytes !== undefined || !/^\d/.test(source))) {
    throw badRequest(
      `unsupported entropy source ${JSON.stringify(source)}; must be "platform" or "seal", or "all"`,
    );
  }
  const text = urlbytes ?? (isSource ? undefined : source);
  const count = text === undefined ? values.bytes : parseCount(text);
  if (count < 1) throw badRequest("'bytes' cannot be less than 1");
  if (count >= RANDOM_BYTES_LIMIT) throw badRequest(`'bytes' should be less than ${RANDOM_BYTES_LIMIT}`);
  const format = readFormat(values.format, (name) => `unsupported encoding format ${JSON.stringify(name)}`);
  return { data: { random_bytes: Buffer.from(random.bytes(count)).toString(format) } };
}

function parseCount(text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw badRequest(`error parsing url-set byte count: ${JSON.stringify(text)}`);
  return Number(text);
}

function readFormat(format: string, refusal: (name: string) => string): "hex" | "base64" {
  if (format === "hex" || format === "base64") return format;
  throw badRequest(`${refusal(format)}; must be "hex" or "base64"`);
}

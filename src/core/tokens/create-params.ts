import { parseDurationSeconds } from "../../base/duration.ts";
import { badRequest, messageOf } from "../../base/errors.ts";
import { field } from "../../framework/field.ts";

/** The parameters of `auth/token/create` and its kin. @see reference: tokens, create. */
export const CREATE_FIELDS = {
  id: field.string({
    description: "The token itself, instead of one by chance. Needs sudo.",
    sensitive: true,
  }),
  policies: field.stringList({ description: "The token's policies; the caller's own when none are given." }),
  meta: field.kvPairs({ description: "Names and values that audit and lookups show." }),
  no_parent: field.bool({
    description: "Make an orphan: it does not end with the caller's token. Needs sudo.",
  }),
  no_default_policy: field.bool({ description: "Leave the default policy out." }),
  renewable: field.bool({ description: "Whether the token can be renewed.", default: true }),
  ttl: field.string({ description: "How long the token lives before it has to be renewed." }),
  lease: field.string({ description: "An old name of ttl.", deprecated: true }),
  explicit_max_ttl: field.string({ description: "When the token ends, whatever its renewals." }),
  period: field.string({
    description: "Each renewal gives this much time, without an end. Needs sudo, or a role that says so.",
  }),
  num_uses: field.int({ description: "How many requests the token is good for; 0 for any number." }),
  type: field.string({ description: "What kind of token: service or batch.", allowed: ["service", "batch"] }),
  display_name: field.string({
    description: "A name for people; token- is put before it.",
    default: "token",
  }),
  entity_alias: field.string({ description: "The alias of the entity the token is for. Needs a role." }),
} as const;

/** The parameters as read. */
export interface CreateParams {
  readonly id: string;
  readonly policies: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly no_parent: boolean;
  readonly no_default_policy: boolean;
  readonly renewable: boolean;
  readonly ttl: string;
  readonly lease: string;
  readonly explicit_max_ttl: string;
  readonly period: string;
  readonly num_uses: number;
  readonly type: string;
  readonly display_name: string;
  readonly entity_alias: string;
}

const META_CHARS_MAX = 65_536;
const DISPLAY_NAME_CHARS_MAX = 256;
const ID_CHARS_MAX = 256;

/** The token's display name. Without one, or with the default, it is `token`. */
export function displayNameOf({ display_name: name }: CreateParams): string {
  if (name === "" || name === "token") return "token";
  return `token-${name}`.replaceAll(/[^A-Za-z0-9-]/g, "-").slice(0, DISPLAY_NAME_CHARS_MAX);
}

/** @throws ApiError 400 when there is more than a token should carry. */
export function metaOf({ meta }: CreateParams): Readonly<Record<string, string>> | null {
  if (JSON.stringify(meta).length > META_CHARS_MAX) {
    throw badRequest(`meta must not be larger than ${META_CHARS_MAX} characters`);
  }
  return Object.keys(meta).length === 0 ? null : meta;
}

/** @throws ApiError 400 for an id that could be taken for a generated one, or that no client could send. */
export function checkCustomId(id: string): void {
  for (const prefix of ["s.", "hvs."]) {
    if (id.startsWith(prefix)) throw badRequest(`custom token ID cannot have the '${prefix}' prefix`);
  }
  if (id.includes(".")) throw badRequest("custom token ID cannot have a '.' in the value");
  if (id.length > ID_CHARS_MAX || !/^[\x21-\x7e]+$/.test(id)) {
    throw badRequest(
      `custom token ID must be at most ${ID_CHARS_MAX} printable ASCII characters without spaces`,
    );
  }
}

/** The TTLs of a request, in seconds; 0: not given. */
export interface GivenTtls {
  readonly ttlSeconds: number;
  readonly explicitMaxTtlSeconds: number;
  readonly periodSeconds: number;
}

/** @throws ApiError 400 `… must be positive`, or what is wrong with the text. */
export function readTtls(params: CreateParams): GivenTtls {
  return {
    periodSeconds: readTtl("period", params.period),
    explicitMaxTtlSeconds: readTtl("explicit_max_ttl", params.explicit_max_ttl),
    ttlSeconds: params.ttl === "" ? readTtl("lease", params.lease) : readTtl("ttl", params.ttl),
  };
}

function readTtl(name: string, text: string): number {
  const seconds = parse(text);
  if (typeof seconds === "string") throw badRequest(`'${name}' value could not be parsed: ${seconds}`);
  if (seconds < 0) throw badRequest(`${name === "lease" ? "ttl" : name} must be positive`);
  return seconds;
}

/** Seconds, or what is wrong. */
function parse(text: string): number | string {
  try {
    return parseDurationSeconds(text);
  } catch (error) {
    return messageOf(error);
  }
}

/** Whether nothing limits the token's life, as far as that can be read. */
export function wantsNoExpiry(params: CreateParams): boolean {
  return [params.ttl, params.lease, params.period, params.explicit_max_ttl].every(
    (text) => parse(text) === 0,
  );
}

/**
 * What a batch token cannot have.
 * @throws ApiError 400.
 */
export function checkBatchParams(params: CreateParams): void {
  refuseForBatch("explicit_max_ttl", batchSeconds("explicit_max_ttl", params.explicit_max_ttl));
  refuseForBatch("num_uses", params.num_uses);
  refuseForBatch("period", batchSeconds("period", params.period));
  // Its text is what it says, sealed: nobody can choose it.
  if (params.id !== "") throw badRequest('batch tokens cannot have "id" set');
}

function batchSeconds(name: string, text: string): number {
  const seconds = parse(text);
  if (typeof seconds === "string") throw badRequest(`'${name}' value could not be parsed`);
  return seconds;
}

export function refuseForBatch(name: string, figure: number): void {
  if (figure !== 0) throw badRequest(`batch tokens cannot have "${name}" set`);
}

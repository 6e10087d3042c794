import type { JsonObject } from "../../../base/json.ts";
import { type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { type Fields, field } from "../../../framework/field.ts";
import { findAccount } from "./accounts.ts";
import { DIRECTORY_PATTERNS, directoryFields, directoryOf } from "./directory.ts";
import type { Jws } from "./jws.ts";
import { AcmeProblem, problemReply } from "./problem.ts";
import type { AccountRecord, Stored } from "./records.ts";
import { type AcmeService, type OpenDirectory, openDirectory } from "./service.ts";

/** A request that was signed as it has to be. */
export interface AcmeRequest extends OpenDirectory {
  /** The request's own URL. */
  readonly requestUrl: string;
  /** What the path's names stand for. */
  readonly values: Readonly<Record<string, string>>;
  /** Null: a read (POST-as-GET). */
  readonly payload: JsonObject | null;
  /** The key that signed. */
  readonly jwk: JsonObject;
  readonly thumbprint: string;
  /** Null: the request was signed with a key of its own (`jwk`), not as an account. */
  readonly account: Stored<AccountRecord> | null;
}

/** A path of ACME below its directory: `order/:order_id/finalize`. */
export interface Endpoint {
  readonly pattern: string;
  /** The names in the pattern, with what they stand for. */
  readonly names: Readonly<Record<string, string>>;
  readonly synopsis: string;
  /** Who signs: an account, a key that comes along, or either. */
  readonly signedBy: "account" | "key" | "either";
  handle(request: AcmeRequest): Promise<Reply>;
}

const JWS_FIELDS = {
  protected: field.string({ description: "The signature's protected header, base64url.", required: true }),
  payload: field.string({ description: "What is signed, base64url; empty for a read." }),
  signature: field.string({ description: "The signature, base64url.", required: true }),
};

/** The paths of an endpoint: one for each kind of directory. */
export function endpointPaths(service: AcmeService, endpoint: Endpoint): readonly PathSpec[] {
  const names: Fields = Object.fromEntries(
    Object.entries(endpoint.names).map(([name, description]) => [
      name,
      field.string({ description, required: true }),
    ]),
  );
  return DIRECTORY_PATTERNS.map((pattern) =>
    path({
      pattern: `${pattern}/${endpoint.pattern}`,
      fields: { ...directoryFields(pattern), ...names, ...JWS_FIELDS },
      unauthenticated: true,
      takesAnyField: true,
      help: { synopsis: endpoint.synopsis },
      operations: {
        update: {
          summary: endpoint.synopsis,
          handler: ({ path: requestPath, values }) =>
            answer(service, endpoint, requestPath, values as Readonly<Record<string, string>>),
        },
      },
    }),
  );
}

/** Carries out a request. Every answer, a refusal too, has a fresh nonce and says where the directory is. */
async function answer(
  service: AcmeService,
  endpoint: Endpoint,
  requestPath: string,
  values: Readonly<Record<string, string>>,
): Promise<Reply> {
  let open: OpenDirectory | undefined;
  let reply: Reply;
  try {
    open = await openDirectory(service, directoryOf(values));
    const clusterPath = await service.source.clusterPath();
    const request = await verified(service, endpoint, open, `${clusterPath}/${requestPath}`, values);
    reply = await endpoint.handle(request);
  } catch (error) {
    if (!(error instanceof AcmeProblem)) throw error;
    reply = problemReply(error);
  }
  return { ...reply, headers: { ...commonHeaders(service, open), ...reply.headers } };
}

/** @see RFC 8555 sections 6.5.1 and 7.1 */
export function commonHeaders(
  { nonces }: Pick<AcmeService, "nonces">,
  open: OpenDirectory | undefined,
): Readonly<Record<string, string>> {
  const link = open === undefined ? {} : { Link: `<${open.url}/directory>;rel="index"` };
  return { "Replay-Nonce": nonces.issue(), ...link };
}

/**
 * Verifies a request: its form, its URL, its key, its signature, its nonce, in this order, so that only what is signed uses
 * a nonce up.
 * @throws AcmeProblem
 */
async function verified(
  service: AcmeService,
  endpoint: Endpoint,
  open: OpenDirectory,
  requestUrl: string,
  values: Readonly<Record<string, string>>,
): Promise<AcmeRequest> {
  const { readHeader, readPayload, thumbprintOf, verifyJws } = await import("./jws.ts");
  const { protected: head = "", payload = "", signature = "" } = values;
  const jws: Jws = { protected: head, payload, signature };
  const header = readHeader(jws);
  if (header.url !== requestUrl) {
    throw new AcmeProblem(
      "unauthorized",
      `the url of the protected header is not that of the request, ${requestUrl}`,
    );
  }
  const isWrong =
    endpoint.signedBy === "account"
      ? header.jwk !== null
      : endpoint.signedBy === "key" && header.kid !== null;
  if (isWrong) {
    throw new AcmeProblem(
      "malformed",
      `the protected header must have a ${endpoint.signedBy === "key" ? "jwk" : "kid"} here`,
    );
  }
  const account = header.kid === null ? null : await requireAccount(service, open, header.kid);
  const jwk = account?.record.jwk ?? header.jwk ?? {};
  await verifyJws(jws, header, jwk);
  await service.nonces.use(header.nonce);
  const thumbprint = account?.record.thumbprint ?? (await thumbprintOf(jwk));
  return { ...open, requestUrl, values, payload: readPayload(jws), jwk, thumbprint, account };
}

/** The account that a `kid` names, if it may act. @throws AcmeProblem */
async function requireAccount(
  { context }: AcmeService,
  { url, config, directory }: OpenDirectory,
  kid: string,
): Promise<Stored<AccountRecord>> {
  const prefix = `${url}/account/`;
  if (!kid.startsWith(prefix)) {
    throw new AcmeProblem("malformed", "the kid is not the URL of an account of this directory");
  }
  const account = await findAccount(context.storage, directory, kid.slice(prefix.length));
  if (account === null) throw new AcmeProblem("accountDoesNotExist", "there is no such account");
  if (account.record.status !== "valid") {
    throw new AcmeProblem("unauthorized", `the account is ${account.record.status}`);
  }
  if (config.eab_policy === "always-required" && account.record.eab === "") {
    throw new AcmeProblem("unauthorized", "the account has no external account binding, which is required");
  }
  return account;
}

/** The account of a request that an account has to sign. */
export function accountOf({ account }: AcmeRequest): Stored<AccountRecord> {
  if (account === null) throw new AcmeProblem("malformed", "the protected header must have a kid here");
  return account;
}

import { isDeepStrictEqual } from "node:util";
import { hasCode } from "../../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { randomUuid } from "../../../base/random.ts";
import type { Reply } from "../../../framework/backend.ts";
import { findAccountByKey, thumbprintKey } from "./accounts.ts";
import { EAB_PREFIX, findEab } from "./eab.ts";
import { type AcmeRequest, accountOf, type Endpoint } from "./endpoint.ts";
import { AcmeProblem, jsonReply, problemReply } from "./problem.ts";
import { ACCOUNT_PREFIX, type AccountRecord, putRecord, type Stored } from "./records.ts";
import type { AcmeService } from "./service.ts";

const CONTACTS_MAX = 10;
const CONTACT_CHARS_MAX = 256;

/** Making, reading, changing and ending accounts (RFC 8555 section 7.3). */
export function accountEndpoints(service: AcmeService): readonly Endpoint[] {
  return [
    {
      pattern: "new-account",
      names: {},
      synopsis: "Make an account for a key, or find the one that it has.",
      signedBy: "key",
      handle: (request) => newAccount(service, request),
    },
    {
      pattern: "account/:kid",
      names: { kid: "The account's id." },
      synopsis: "Show, change or deactivate an account.",
      signedBy: "account",
      handle: (request) => updateAccount(service, request),
    },
    {
      pattern: "key-change",
      names: {},
      synopsis: "Give an account another key.",
      signedBy: "account",
      handle: (request) => changeKey(service, request),
    },
  ];
}

function shown(
  request: AcmeRequest,
  { record }: Pick<Stored<AccountRecord>, "record">,
  status: number,
): Reply {
  const url = `${request.url}/account/${record.id}`;
  const body = {
    status: record.status,
    orders: `${request.url}/orders`,
    contact: [...record.contact],
    ...(record.termsAgreed ? { termsOfServiceAgreed: true } : {}),
  };
  return jsonReply(status, body, { Location: url });
}

async function newAccount({ context }: AcmeService, request: AcmeRequest): Promise<Reply> {
  const { payload, directory, thumbprint, jwk, config } = request;
  if (payload === null) throw new AcmeProblem("malformed", "the payload is empty");
  const present = await findAccountByKey(context, directory, thumbprint);
  if (present !== null) {
    if (present.record.status !== "valid")
      throw new AcmeProblem("unauthorized", `the account of this key is ${present.record.status}`);
    return shown(request, present, 200);
  }
  if (payload.onlyReturnExisting === true)
    throw new AcmeProblem("accountDoesNotExist", "the key has no account here");
  const contact = readContact(payload.contact) ?? [];
  const eab = await boundEab(context.storage, request);
  if (eab === null && config.eab_policy !== "not-required")
    throw new AcmeProblem("externalAccountRequired", "an account needs an external account binding here");
  const record: AccountRecord = {
    v: 1,
    id: randomUuid(context.random),
    status: "valid",
    directory,
    jwk,
    thumbprint,
    contact,
    termsAgreed: payload.termsOfServiceAgreed === true,
    eab: eab?.id ?? "",
    createdAt: context.clock.now(),
    endedAt: null,
  };
  const index = thumbprintKey(context, directory, thumbprint);
  try {
    await context.storage.commit([
      putRecord(ACCOUNT_PREFIX + record.id, record, 0),
      { op: "put", key: index, value: { v: 1, account: record.id }, expect: 0 },
      // A binding is good for one account.
      ...(eab === null ? [] : [{ op: "delete", key: EAB_PREFIX + eab.id, expect: eab.version } as const]),
    ]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw new AcmeProblem("unauthorized", "the key has got an account, or the binding was used, just now", {
      cause: error,
    });
  }
  return shown(request, { record }, 201);
}

/** The external account that a payload binds to. Null: it binds to none. @throws AcmeProblem */
async function boundEab(
  storage: AcmeService["context"]["storage"],
  { payload, jwk, requestUrl, directory }: AcmeRequest,
): Promise<{ readonly id: string; readonly version: number } | null> {
  const given = payload?.externalAccountBinding;
  if (given === undefined || given === null) return null;
  const { nestedJws, verifyBinding } = await import("./jws.ts");
  let version = 0;
  const binding = await verifyBinding(
    nestedJws(given, "the external account binding"),
    requestUrl,
    async (id) => {
      const found = await findEab(storage, id);
      if (found === null || !isDeepStrictEqual(found.record.directory, directory))
        throw new AcmeProblem("unauthorized", "there is no such external account for this directory");
      version = found.version;
      return Buffer.from(found.record.key, "base64url");
    },
  );
  if (!isDeepStrictEqual(binding.jwk, jwk))
    throw new AcmeProblem("malformed", "the external account binding is of another key");
  return { id: binding.id, version };
}

/** Undefined: not given. @throws AcmeProblem */
function readContact(value: Json | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.length > CONTACTS_MAX)
    throw new AcmeProblem("malformed", `contact is a list of at most ${CONTACTS_MAX} URLs`);
  return value.map((url) => {
    if (typeof url !== "string" || url.length > CONTACT_CHARS_MAX || !/^[\x21-\x7e]+$/.test(url))
      throw new AcmeProblem("malformed", "a contact is no URL, or too long");
    if (!url.startsWith("mailto:")) throw new AcmeProblem("unsupportedContact", "a contact is a mailto: URL");
    if (!/^mailto:[^@?,]+@[^@?,]+$/.test(url))
      throw new AcmeProblem("malformed", "a contact is one mail address");
    return url;
  });
}

/** The account of a request, which its path has to name too. */
function ownAccount(request: AcmeRequest): Stored<AccountRecord> {
  const account = accountOf(request);
  if (account.record.id !== request.values.kid)
    throw new AcmeProblem("unauthorized", "the request is not signed by the account that it is about");
  return account;
}

async function updateAccount({ context }: AcmeService, request: AcmeRequest): Promise<Reply> {
  const account = ownAccount(request);
  const { payload } = request;
  if (payload === null) return shown(request, account, 200);
  const contact = readContact(payload.contact) ?? account.record.contact;
  if (payload.status !== undefined && payload.status !== "deactivated" && payload.status !== "valid")
    throw new AcmeProblem("malformed", "an account's status can be set to deactivated");
  const ends = payload.status === "deactivated";
  const termsAgreed = account.record.termsAgreed || payload.termsOfServiceAgreed === true;
  const record: AccountRecord = {
    ...account.record,
    contact,
    termsAgreed,
    ...(ends ? { status: "deactivated", endedAt: context.clock.now() } : {}),
  };
  await commitAccount(context.storage, [putRecord(ACCOUNT_PREFIX + record.id, record, account.version)]);
  return shown(request, { record }, 200);
}

async function commitAccount(
  storage: AcmeService["context"]["storage"],
  writes: Parameters<typeof storage.commit>[0],
): Promise<void> {
  try {
    await storage.commit(writes);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw new AcmeProblem("serverInternal", "the account was changed at the same time; try again", {
      cause: error,
    });
  }
}

/** The new key signs the inner request, the old one the outer (section 7.3.5). */
async function changeKey({ context }: AcmeService, request: AcmeRequest): Promise<Reply> {
  const account = accountOf(request);
  const { nestedJws, readHeader, readPayload, thumbprintOf, verifyJws } = await import("./jws.ts");
  const inner = nestedJws(request.payload, "the payload");
  const header = readHeader(inner);
  if (header.jwk === null || header.url !== request.requestUrl)
    throw new AcmeProblem("malformed", "the inner request must have the new key as jwk, and the same url");
  await verifyJws(inner, header, header.jwk);
  const said: JsonObject = readPayload(inner) ?? {};
  if (said.account !== `${request.url}/account/${account.record.id}`)
    throw new AcmeProblem("malformed", "the inner request is about another account");
  if (!isJsonObject(said.oldKey) || (await thumbprintOf(said.oldKey)) !== account.record.thumbprint)
    throw new AcmeProblem("malformed", "the inner request's oldKey is not the account's");
  const thumbprint = await thumbprintOf(header.jwk);
  const { directory } = request;
  const holder = await findAccountByKey(context, directory, thumbprint);
  if (holder !== null) return keyTaken(request, holder);
  const record = { ...account.record, jwk: header.jwk, thumbprint };
  await commitAccount(context.storage, [
    putRecord(ACCOUNT_PREFIX + record.id, record, account.version),
    { op: "delete", key: thumbprintKey(context, directory, account.record.thumbprint) },
    {
      op: "put",
      key: thumbprintKey(context, directory, thumbprint),
      value: { v: 1, account: record.id },
      expect: 0,
    },
  ]);
  return shown(request, { record }, 200);
}

/** Another account has the key: the answer says which. */
function keyTaken(request: AcmeRequest, { record }: Stored<AccountRecord>): Reply {
  const problem = new AcmeProblem("malformed", "another account has the new key", { status: 409 });
  return { ...problemReply(problem), headers: { Location: `${request.url}/account/${record.id}` } };
}

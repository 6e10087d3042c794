import { randomUuid } from "../../../base/random.ts";
import type { MountContext } from "../../../framework/backend.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import { type Identifier, sameIdentifier } from "./identifiers.ts";
import {
  type AuthorizationRecord,
  authorizationKey,
  type ChallengeRecord,
  type ChallengeType,
  type OrderRecord,
  readRecord,
  type Stored,
} from "./records.ts";

/** 32 random bytes; RFC 8555 section 8.1 asks for 128 bits. */
const TOKEN_BYTES = 32;

const ID = /^[0-9a-f-]{36}$/;

/** The ways in which an identifier can be proven. A wildcard is proven by DNS alone; an address has no records there. */
function challengeTypes({ type, value }: Identifier): readonly ChallengeType[] {
  if (value.startsWith("*.")) return ["dns-01"];
  return type === "ip" ? ["http-01", "tls-alpn-01"] : ["http-01", "dns-01", "tls-alpn-01"];
}

/** A new authorization for an identifier of an order. */
export function newAuthorization(
  { random }: Pick<MountContext, "random">,
  order: Pick<OrderRecord, "id" | "account" | "expiresAt">,
  identifier: Identifier,
): AuthorizationRecord {
  const token = Buffer.from(random.bytes(TOKEN_BYTES)).toString("base64url");
  const wildcard = identifier.value.startsWith("*.");
  return {
    v: 1,
    id: randomUuid(random),
    account: order.account,
    order: order.id,
    identifier: wildcard ? { type: "dns", value: identifier.value.slice(2) } : identifier,
    wildcard,
    status: "pending",
    expiresAt: order.expiresAt,
    thumbprint: "",
    challenges: challengeTypes(identifier).map(
      (type): ChallengeRecord => ({
        type,
        token,
        status: "pending",
        validatedAt: null,
        attempts: 0,
        error: null,
      }),
    ),
  };
}

/** Null: the account has none with this id. */
export async function findAuthorization(
  storage: EngineStorage,
  account: string,
  id: string,
): Promise<Stored<AuthorizationRecord> | null> {
  return ID.test(id) ? readRecord(storage, authorizationKey({ account, id })) : null;
}

/** The authorizations of an order, in its order; one that is gone is left out. */
export async function authorizationsOf(
  storage: EngineStorage,
  { account, authorizations }: Pick<OrderRecord, "account" | "authorizations">,
): Promise<readonly AuthorizationRecord[]> {
  const found = await Promise.all(authorizations.map((id) => findAuthorization(storage, account, id)));
  return found.filter((it) => it !== null).map(({ record }) => record);
}

/** Whether the authorization is for this identifier. */
export function isFor({ identifier, wildcard }: AuthorizationRecord, asked: Identifier): boolean {
  const value = wildcard ? `*.${identifier.value}` : identifier.value;
  return sameIdentifier({ type: identifier.type, value }, asked);
}

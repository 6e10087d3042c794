import { randomUuid } from "../../../base/random.ts";
import type { Reply } from "../../../framework/backend.ts";
import { newAuthorization } from "./authorizations.ts";
import { type AcmeRequest, accountOf, type Endpoint } from "./endpoint.ts";
import { finalizeOrder } from "./finalize.ts";
import { readIdentifiers } from "./identifiers.ts";
import { describeOrder, findOrder, orderStatus } from "./orders.ts";
import { AcmeProblem, jsonReply } from "./problem.ts";
import {
  authorizationKey,
  ORDER_PREFIX,
  type OrderRecord,
  orderKey,
  putRecord,
  type Stored,
} from "./records.ts";
import type { AcmeService } from "./service.ts";

/** How long an order may take. */
const ORDER_LIFE_MS = 24 * 3_600_000;
/** Orders that an account may have at one time, those included whose certificate has not expired. */
const ORDERS_MAX = 1000;

/** Ordering certificates and fetching them (RFC 8555 section 7.4). */
export function orderEndpoints(service: AcmeService): readonly Endpoint[] {
  const order = { order_id: "The order's id." };
  return [
    {
      pattern: "new-order",
      names: {},
      synopsis: "Order a certificate.",
      signedBy: "account",
      handle: (request) => newOrder(service, request),
    },
    {
      pattern: "orders",
      names: {},
      synopsis: "List the account's orders.",
      signedBy: "account",
      handle: (request) => listOrders(service, request),
    },
    {
      pattern: "order/:order_id",
      names: order,
      synopsis: "Show an order.",
      signedBy: "account",
      handle: async (request) => replyWith(service, request, await orderOf(service, request)),
    },
    {
      pattern: "order/:order_id/finalize",
      names: order,
      synopsis: "Have the certificate of an order issued.",
      signedBy: "account",
      handle: async (request) => {
        const finalized = await finalizeOrder(service, request, await orderOf(service, request));
        return replyWith(service, request, finalized);
      },
    },
    {
      pattern: "order/:order_id/cert",
      names: order,
      synopsis: "Fetch the certificate of an order, with its chain.",
      signedBy: "account",
      handle: async (request) => certificateReply(await orderOf(service, request)),
    },
  ];
}

async function newOrder(service: AcmeService, request: AcmeRequest): Promise<Reply> {
  const { context, source } = service;
  const { payload, terms } = request;
  const { record: account } = accountOf(request);
  if (payload?.notBefore !== undefined || payload?.notAfter !== undefined) {
    throw new AcmeProblem(
      "malformed",
      "notBefore and notAfter are not taken: the role says how long a certificate lasts",
    );
  }
  const identifiers = readIdentifiers(payload?.identifiers);
  for (const identifier of identifiers) {
    const refusal = await source.refusalOf(terms, identifier);
    if (refusal !== null) throw new AcmeProblem("rejectedIdentifier", refusal);
  }
  const present = await context.storage.list(`${ORDER_PREFIX}${account.id}/`);
  if (present.length >= ORDERS_MAX) {
    throw new AcmeProblem("rateLimited", `the account has ${present.length} orders, as many as it may have`);
  }
  const expiresAt = context.clock.now() + ORDER_LIFE_MS;
  const base = { id: randomUuid(context.random), account: account.id, expiresAt };
  const authorizations = identifiers.map((identifier) => newAuthorization(context, base, identifier));
  const record: OrderRecord = {
    v: 1,
    ...base,
    identifiers,
    authorizations: authorizations.map(({ id }) => id),
    state: "open",
    finalizeBy: null,
    certificate: null,
    error: null,
  };
  await context.storage.commit([
    putRecord(orderKey(record), record, 0, expiresAt),
    ...authorizations.map((it) => putRecord(authorizationKey(it), it, 0, expiresAt)),
  ]);
  return jsonReply(201, describeOrder(record, "pending", request.url), {
    Location: `${request.url}/order/${record.id}`,
  });
}

/** @throws AcmeProblem malformed, with 404, for one that is not the account's. */
async function orderOf({ context }: AcmeService, request: AcmeRequest): Promise<Stored<OrderRecord>> {
  const { record: account } = accountOf(request);
  const found = await findOrder(context.storage, account.id, request.values.order_id ?? "");
  if (found === null) throw new AcmeProblem("malformed", "the account has no such order", { status: 404 });
  return found;
}

async function replyWith(
  { context }: AcmeService,
  request: AcmeRequest,
  { record }: Pick<Stored<OrderRecord>, "record">,
): Promise<Reply> {
  const status = await orderStatus(context.storage, record, context.clock.now());
  return jsonReply(200, describeOrder(record, status, request.url), {
    Location: `${request.url}/order/${record.id}`,
  });
}

async function listOrders({ context }: AcmeService, request: AcmeRequest): Promise<Reply> {
  const { record: account } = accountOf(request);
  const ids = await context.storage.list(`${ORDER_PREFIX}${account.id}/`);
  return jsonReply(200, { orders: ids.map((id) => `${request.url}/order/${id}`) });
}

function certificateReply({ record }: Stored<OrderRecord>): Reply {
  if (record.certificate === null) {
    throw new AcmeProblem("orderNotReady", "the order has no certificate yet");
  }
  return { status: 200, bare: record.certificate.chain, contentType: "application/pem-certificate-chain" };
}

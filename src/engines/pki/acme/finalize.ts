import { createPublicKey } from "node:crypto";
import { ApiError, hasCode } from "../../../base/errors.ts";
import { failpoint } from "../../../base/failpoint.ts";
import type { Json } from "../../../base/json.ts";
import { checkedCsrDer } from "../issue/csr.ts";
import { DerError } from "../x509/asn1.ts";
import type { Csr } from "../x509/csr.ts";
import { findExtension } from "../x509/extensions.ts";
import { decodeAltNames, NO_NAMES } from "../x509/general-names.ts";
import { attributeOf, decodeName } from "../x509/name.ts";
import { OID } from "../x509/oids.ts";
import type { AcmeRequest } from "./endpoint.ts";
import { type Identifier, sameIdentifier } from "./identifiers.ts";
import { orderStatus } from "./orders.ts";
import { AcmeProblem, problemDocument } from "./problem.ts";
import { type OrderRecord, orderKey, putRecord, type Stored } from "./records.ts";
import type { AcmeService } from "./service.ts";

/** After it, whoever began to issue is taken to have failed, and another request may try. */
const FINALIZE_MS = 60_000;

/**
 * Issues the certificate of an order that is ready (RFC 8555 section 7.4). The order is first marked as being finalized, so
 * that of two requests one issues; a process that dies in between leaves a certificate that nobody was given, and an order
 * that can be finalized again a minute later.
 * @throws AcmeProblem orderNotReady, badCSR, unauthorized.
 */
export async function finalizeOrder(
  service: AcmeService,
  request: AcmeRequest,
  { record, version }: Stored<OrderRecord>,
): Promise<Pick<Stored<OrderRecord>, "record">> {
  const { context, source } = service;
  const now = context.clock.now();
  const status = await orderStatus(context.storage, record, now);
  if (status !== "ready") throw new AcmeProblem("orderNotReady", `the order is ${status}, not ready`);
  const csr = readRequest(request.payload?.csr);
  checkNames(csr, record.identifiers);
  checkKey(csr, request);
  const claimed: OrderRecord = { ...record, state: "finalizing", finalizeBy: now + FINALIZE_MS };
  const claimedVersion = await commitOrder(service, claimed, version, record.expiresAt);
  failpoint("acme-finalize:claimed");
  try {
    const certificate = await source.issue(request.terms, csr, record.identifiers);
    failpoint("acme-finalize:issued");
    const finished: OrderRecord = { ...record, state: "valid", finalizeBy: null, certificate };
    await commitOrder(service, finished, claimedVersion, certificate.notAfter);
    context.log.info("an ACME order was fulfilled", {
      account: record.account,
      serial: certificate.serial,
      names: record.identifiers.map(({ value }) => value).join(","),
    });
    return { record: finished };
  } catch (error) {
    if (!(error instanceof ApiError) || error instanceof AcmeProblem) throw error;
    // What the role or the issuer refuses now, it may allow later: the order stays ready, and says why.
    const problem = problemDocument("badCSR", error.errors.join("; "));
    await commitOrder(service, { ...record, error: problem }, claimedVersion, record.expiresAt);
    throw new AcmeProblem("badCSR", error.errors.join("; "), { cause: error });
  }
}

async function commitOrder(
  { context }: AcmeService,
  record: OrderRecord,
  expect: number,
  dueAt: number,
): Promise<number> {
  try {
    const [version = 0] = await context.storage.commit([putRecord(orderKey(record), record, expect, dueAt)]);
    return version;
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw new AcmeProblem("orderNotReady", "the order is being finalized by another request", {
      cause: error,
    });
  }
}

/** Reads the request, whose key its sender has to have. @throws AcmeProblem badCSR. */
function readRequest(value: Json | undefined): Csr {
  if (typeof value !== "string" || !/^[A-Za-z0-9_-]+$/.test(value)) {
    throw new AcmeProblem("badCSR", "csr is a certification request in base64url");
  }
  try {
    return checkedCsrDer(Buffer.from(value, "base64url")).csr;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new AcmeProblem("badCSR", error.message, { cause: error });
  }
}

/** The request has to name what the order does, neither more nor less. */
function checkNames(csr: Csr, identifiers: readonly Identifier[]): void {
  const named = namesOf(csr);
  const extra = named.find((one) => !identifiers.some((other) => sameIdentifier(one, other)));
  if (extra !== undefined)
    throw new AcmeProblem("badCSR", `the order is not for ${JSON.stringify(extra.value)}`);
  const missing = identifiers.find((one) => !named.some((other) => sameIdentifier(one, other)));
  if (missing !== undefined) throw new AcmeProblem("badCSR", `the csr does not ask for ${missing.value}`);
}

function namesOf(csr: Csr): readonly Identifier[] {
  const { names, commonNames } = readNames(csr);
  if (names.emails.length > 0 || names.uris.length > 0 || names.others.length > 0) {
    throw new AcmeProblem("badCSR", "the csr asks for names that are neither of DNS nor addresses");
  }
  const dns = names.dns.map((value): Identifier => ({ type: "dns", value: value.toLowerCase() }));
  const ips = names.ips.map((value): Identifier => ({ type: "ip", value }));
  const common = commonNames.map((value): Identifier => {
    const isIp = ips.some((ip) => ip.value === value);
    return { type: isIp ? "ip" : "dns", value: value.toLowerCase() };
  });
  return [...dns, ...ips, ...common];
}

function readNames(csr: Csr) {
  try {
    const found = findExtension(csr.extensions, OID.subjectAltName);
    const names = found === undefined ? NO_NAMES : decodeAltNames(found.value);
    const commonName = attributeOf(decodeName(csr.subject), OID.commonName);
    return { names, commonNames: commonName === "" ? [] : [commonName] };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new AcmeProblem("badCSR", `the csr has a ${error.message}`, { cause: error });
  }
}

/** The account's key is not to be a certificate's as well (section 11.1). */
function checkKey(csr: Csr, { jwk }: AcmeRequest): void {
  const account = createPublicKey({ key: { ...jwk }, format: "jwk" });
  if (account.export({ type: "spki", format: "der" }).equals(csr.publicKey)) {
    throw new AcmeProblem("badCSR", "the csr's key is the account's own");
  }
}

import { ApiError } from "../../../base/errors.ts";
import type { Json, JsonObject } from "../../../base/json.ts";
import type { Reply } from "../../../framework/backend.ts";

/** The kinds of problems, with the status that each is answered with (RFC 8555 section 6.7). */
const STATUS = {
  accountDoesNotExist: 400,
  alreadyRevoked: 400,
  badCSR: 400,
  badNonce: 400,
  badPublicKey: 400,
  badRevocationReason: 400,
  badSignatureAlgorithm: 400,
  connection: 400,
  dns: 400,
  externalAccountRequired: 403,
  incorrectResponse: 403,
  malformed: 400,
  orderNotReady: 403,
  rateLimited: 429,
  rejectedIdentifier: 400,
  serverInternal: 500,
  tls: 400,
  unauthorized: 403,
  unsupportedContact: 400,
  unsupportedIdentifier: 400,
} as const;

export type ProblemKind = keyof typeof STATUS;

/** A refusal as ACME clients understand it. Its text is one sentence for people. */
export class AcmeProblem extends ApiError {
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, detail: string, options: { cause?: unknown; status?: number } = {}) {
    super(options.status ?? STATUS[kind], detail, { cause: options.cause });
    this.name = "AcmeProblem";
    this.kind = kind;
  }

  /** The document of RFC 7807. */
  get document(): JsonObject {
    return problemDocument(this.kind, this.message, this.status);
  }
}

export function problemDocument(
  kind: ProblemKind,
  detail: string,
  status: number = STATUS[kind],
): JsonObject {
  return { type: `urn:ietf:params:acme:error:${kind}`, detail, status };
}

/** The answer that tells a client of a problem. */
export function problemReply({ document, status }: AcmeProblem, further: JsonObject = {}): Reply {
  return {
    status,
    bare: JSON.stringify({ ...document, ...further }),
    contentType: "application/problem+json",
  };
}

/** An object in an answer, as JSON without an envelope. */
export function jsonReply(status: number, body: Json, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, bare: body, headers };
}

import { ApiError } from "../base/errors.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import type { AuditBroker } from "./audit/broker.ts";
import { type AuditEntry, auditResponse } from "./audit/entry.ts";
import { auditMount } from "./audit/mount.ts";
import type { AclDecision } from "./policies/acl.ts";
import type { CoreRequest } from "./request-path.ts";
import type { Route } from "./route.ts";
import type { Standing } from "./standing.ts";

/** What is known of a request when it is written down; more is known of the later ones. */
export interface Known {
  route: Route | null;
  standing: Standing | null;
  decision: AclDecision | null;
}

/** A request's two records: what was asked, and what was answered. */
export class Trail {
  readonly known: Known = { route: null, standing: null, decision: null };
  readonly #broker: AuditBroker;
  readonly #wire: ApiRequest;
  readonly #request: CoreRequest;
  readonly #requestId: string;
  readonly #now: () => number;
  #isBegun = false;

  constructor(
    broker: AuditBroker,
    wire: ApiRequest,
    request: CoreRequest,
    requestId: string,
    now: () => number,
  ) {
    this.#broker = broker;
    this.#wire = wire;
    this.#request = request;
    this.#requestId = requestId;
    this.#now = now;
  }

  /** Writes the request down, before anything is done. @throws ApiError 500 when it cannot be. */
  async request(): Promise<void> {
    this.#isBegun = true;
    await this.#broker.request(this.#entry());
  }

  /** Writes the answer down, before it is shown. @throws ApiError 500 when it cannot be. */
  async response({ body }: ApiResponse): Promise<void> {
    await this.#broker.response({ ...this.#entry(), response: auditResponse(body) });
  }

  /** Writes a refusal or failure down. It stands whether or not that works: nothing was shown. */
  async failure(error: unknown): Promise<void> {
    const entry = { ...this.#entry(), error: textOf(error) };
    try {
      if (this.#isBegun) await this.#broker.response({ ...entry, response: null });
      else await this.#broker.request(entry);
    } catch (lost) {
      if (!(lost instanceof ApiError)) throw lost;
    }
  }

  #entry(): AuditEntry {
    const { operation, path, data, token } = this.#request;
    const { route, standing, decision } = this.known;
    const { remoteAddress, wrapTtlSeconds, headers } = this.#wire;
    return {
      requestId: this.#requestId,
      time: this.#now(),
      operation,
      path,
      mount: route === null ? null : auditMount(route.mountPath, route.mountType, route.entry),
      data,
      clientToken: token,
      caller: standing?.caller ?? null,
      ...(standing === null ? {} : { identityPolicies: standing.identityPolicies }),
      policyResults:
        decision === null ? null : { allowed: decision.allowed, grantingPolicies: decision.grantingPolicies },
      remoteAddress: remoteAddress ?? null,
      wrapTtlSeconds: wrapTtlSeconds ?? 0,
      headers: headers ?? {},
    };
  }
}

/** Only typed refusals say more than that there was one. */
function textOf(error: unknown): string {
  return error instanceof ApiError ? error.errors.join("; ") : "internal error";
}

import type { Barrier } from "../../../src/barrier/port.ts";
import { ApiError } from "../../../src/base/errors.ts";
import type { JsonObject } from "../../../src/base/json.ts";
import { aclFor } from "../../../src/core/policies/acl-for.ts";
import { capabilityPaths } from "../../../src/core/policies/capability-paths.ts";
import type { IdentityView } from "../../../src/core/policies/identity-view.ts";
import { policyPaths } from "../../../src/core/policies/policy-paths.ts";
import type { Services } from "../../../src/core/services.ts";
import { newTokenWrites, type TokenRecord } from "../../../src/core/tokens/record.ts";
import { newRootToken, tokenHash } from "../../../src/core/tokens/store.ts";
import type { Operation, PathSpec } from "../../../src/framework/backend.ts";
import { parseFields } from "../../../src/framework/parse-fields.ts";
import { matchPath } from "../../../src/framework/path-match.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { newWorld, type StoppedClock } from "../../barrier/world.ts";

/** What an answer comes down to: its data and warnings, or the status and text of a refusal, or nothing. */
export interface Outcome {
  readonly data?: JsonObject;
  readonly warnings?: readonly string[];
  readonly status?: number;
  readonly error?: string;
}

/** A real barrier over a store in memory, with the paths that are tested. */
export interface PolicyWorld {
  readonly barrier: Barrier;
  readonly clock: StoppedClock;
  /** Another process on the same store. */
  open(): Promise<Barrier>;
  /** Asks a path below `sys/`, as the holder of a token with these policies. */
  ask(operation: Operation, path: string, data?: JsonObject, policies?: readonly string[]): Promise<Outcome>;
  /** Stores a token with these policies. */
  token(policies: readonly string[]): Promise<{ readonly id: string; readonly record: TokenRecord }>;
}

export async function policyWorld(identity: IdentityView | null = null): Promise<PolicyWorld> {
  const { barrier, clock, open } = await newWorld();
  // The paths under test use these two services only.
  const services = { barrier, clock } as unknown as Services;
  const paths: readonly PathSpec[] = [
    ...policyPaths(services),
    ...capabilityPaths(services, (record) => aclFor(services, record.policies, identity)),
  ];
  const template = newRootToken(barrier, systemRandom, clock.now()).record;
  return {
    barrier,
    clock,
    open,
    async ask(operation, path, data = {}, policies = ["root"]) {
      const match = matchPath({ paths }, path);
      const found =
        match?.spec.operations[operation === "create" || operation === "help" ? "update" : operation];
      if (match === undefined || found === undefined) return { status: 404 };
      const parsed = parseFields(match.spec.fields, data, match.captured);
      const caller = { record: { ...template, policies } };
      const request = { operation, path, ...parsed, raw: data, displayName: "", clientToken: "" };
      const acl = { isRoot: false, capabilities: () => [] };
      try {
        return (await found.handler({ ...request, caller, acl, remoteAddress: null } as never)) ?? {};
      } catch (error) {
        if (error instanceof ApiError) return { status: error.status, error: error.errors.join() };
        throw error;
      }
    },
    async token(policies) {
      const made = newRootToken(barrier, systemRandom, clock.now());
      const record = { ...made.record, policies };
      await barrier.commit(newTokenWrites(tokenHash(barrier, made.id), record));
      return { id: made.id, record };
    },
  };
}

import { ApiError, badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { irrevocableLeases } from "../leases/lookup.ts";
import type { LeaseRecord } from "../leases/record.ts";
import type { Services } from "../services.ts";

const LIMIT_DEFAULT = 10_000;

const FIELDS = {
  type: field.string({ description: "Which leases: only irrevocable is known.", default: "irrevocable" }),
  include_child_namespaces: field.bool({ description: "Accepted; there are no namespaces." }),
};

/** `sys/leases` and `sys/leases/count`: the leases whose revocation keeps failing. @see reference: leases, endpoints. */
export function irrevocablePaths(services: Services): PathSpec[] {
  return [
    path({
      pattern: "leases/count",
      fields: FIELDS,
      help: { synopsis: "Count the leases whose revocation keeps failing." },
      operations: {
        read: {
          summary: "Count irrevocable leases, by mount accessor.",
          handler: async ({ values }) => {
            requireIrrevocable(values.type);
            const { total, byMount } = await irrevocableLeases(services, 0);
            return { data: { lease_count: total, counts: byMount } };
          },
        },
      },
    }),
    path({
      pattern: "leases",
      sudo: true,
      fields: {
        ...FIELDS,
        limit: field.string({
          description: "The most leases to show; none for all.",
          default: String(LIMIT_DEFAULT),
        }),
      },
      help: { synopsis: "List the leases whose revocation keeps failing, with the backend's own error." },
      operations: {
        read: {
          summary: "List irrevocable leases.",
          handler: async ({ values }) => {
            requireIrrevocable(values.type);
            const { total, rows } = await irrevocableLeases(services, readLimit(values.limit));
            const text =
              "Command halted because many irrevocable leases were found. To emit the entire list, re-run the " +
              "command with force set true.";
            return {
              data: { lease_count: total, leases: rows.map(describe) },
              warnings: rows.length < total ? [text] : [],
            };
          },
        },
      },
    }),
  ];
}

function requireIrrevocable(type: string): void {
  if (type !== "irrevocable") throw new ApiError(404, []);
}

function readLimit(text: string): number {
  if (text === "none") return Number.POSITIVE_INFINITY;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit <= 0) throw badRequest("limit must be 'none' or a positive integer");
  return limit;
}

function describe(record: LeaseRecord): JsonObject {
  return {
    lease_id: record.id,
    mount_id: record.mountAccessor,
    error: record.failure?.error ?? "unknown",
    attempts: record.failure?.attempts ?? 0,
    principal: record.principal,
  };
}

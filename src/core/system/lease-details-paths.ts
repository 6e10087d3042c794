import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { leaseDetails } from "../leases/lookup.ts";
import type { Services } from "../services.ts";

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

/** `sys/leases/details/…`: whole leases, page by page, where Vault lists ids only. */
export function leaseDetailsPaths(services: Services): PathSpec[] {
  const fields = {
    prefix: field.string({ description: "The path that the leases begin with; empty for all." }),
    after: field.string({ description: "The answer's `next` of the page before this one." }),
    limit: field.int({ description: `The most leases to show, up to ${LIMIT_MAX}.`, default: LIMIT_DEFAULT }),
  };
  const spec = (pattern: string): PathSpec =>
    path({
      pattern,
      fields,
      sudo: true,
      help: { synopsis: "Show the leases below a path, with what is known of each." },
      operations: {
        read: {
          summary: "Show one page of leases.",
          handler: async ({ values }): Promise<Reply> => {
            const { prefix, after, limit } = values;
            if (limit < 1 || limit > LIMIT_MAX) throw badRequest(`limit must be from 1 to ${LIMIT_MAX}`);
            const { leases, next } = await leaseDetails(services, { prefix, after, limit });
            return { data: { leases: [...leases], next } };
          },
        },
      },
    });
  return [spec("leases/details"), spec("leases/details/*prefix")];
}

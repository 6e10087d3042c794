import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { builtinRequest } from "../builtin-request.ts";
import { endLease } from "../leases/end.ts";
import {
  endLeasesUnder,
  endPartUnder,
  forceLeasesUnder,
  leasePrefix,
  type PrefixPart,
} from "../leases/end-under.ts";
import { listLeases, lookupLease } from "../leases/lookup.ts";
import { renewLease } from "../leases/renew.ts";
import { readLease } from "../leases/store.ts";
import type { Services } from "../services.ts";
import { leaseOwner } from "../tokens/caller.ts";
import { revokeTokensUnder } from "../tokens/revoke.ts";

const LEASE_ID = field.string({ description: "The lease's id, as its answer named it." });
const SYNC = field.bool({
  description: "Answer only when the secret is gone, and report a failure.",
  default: true,
});

/** `sys/leases/…`, and the short forms of it that older clients use. @see reference: leases, endpoints. */
export function leasePaths(services: Services): PathSpec[] {
  return [
    lookupPath(services),
    lookupUnderPath(services),
    releasePath(services),
    ...["leases/renew", "renew"].flatMap((pattern) => renewPaths(services, pattern)),
    ...["leases/revoke", "revoke"].flatMap((pattern) => revokePaths(services, pattern)),
    ...["leases/revoke-prefix", "revoke-prefix"].map((pattern) => revokePrefixPath(services, pattern)),
    ...["leases/revoke-force", "revoke-force"].map((pattern) => revokeForcePath(services, pattern)),
  ];
}

function lookupPath(services: Services): PathSpec {
  return path({
    pattern: "leases/lookup",
    fields: { lease_id: LEASE_ID },
    help: {
      synopsis: "Look a lease up, by its id or by what the backend calls its credential (a user name).",
    },
    operations: {
      update: {
        summary: "Look a lease up.",
        handler: async ({ values }) => {
          if (values.lease_id === "") throw badRequest("lease_id must be specified");
          const data = await lookupLease(services, values.lease_id);
          if (data === null) throw badRequest("invalid lease");
          return { data };
        },
      },
      list: {
        summary: "List the first path segments of all leases.",
        handler: async () => listUnder(services, ""),
      },
    },
  });
}

function lookupUnderPath(services: Services): PathSpec {
  return path({
    pattern: "leases/lookup/*prefix",
    fields: { prefix: field.string({ description: "A lease's id, or the path that leases begin with." }) },
    sudo: true,
    help: { synopsis: "List the leases below a path, or look one up by its id." },
    operations: {
      list: {
        summary: "List the lease ids below a path.",
        handler: async ({ values }) => listUnder(services, values.prefix),
      },
      read: {
        summary: "Look a lease up.",
        handler: async ({ values }) => {
          const data = await lookupLease(services, values.prefix);
          return data === null ? undefined : { data };
        },
      },
      update: {
        summary: "Look a lease up.",
        handler: async ({ values }) => {
          const data = await lookupLease(services, values.prefix);
          if (data === null) throw badRequest("invalid lease");
          return { data };
        },
      },
    },
  });
}

async function listUnder(services: Services, prefix: string): Promise<Reply> {
  return { data: { keys: await listLeases(services, prefix) } };
}

function renewPaths(services: Services, pattern: string): PathSpec[] {
  const fields = {
    lease_id: LEASE_ID,
    url_lease_id: field.string({ description: "The lease's id, in the path." }),
    increment: field.duration({ description: "The wanted TTL from now; 0 for the role's own." }),
  };
  const spec = (suffix: string): PathSpec =>
    path({
      pattern: pattern + suffix,
      fields,
      help: { synopsis: "Renew a lease." },
      operations: {
        update: {
          summary: "Renew a lease.",
          handler: async ({ values }) => {
            const id = values.lease_id || values.url_lease_id;
            if (id === "") throw badRequest("lease_id must be specified");
            const renewed = await renewLease(services, id, values.increment);
            return {
              renewed: { id, renewable: renewed.record.renewable, ttlSeconds: renewed.ttlSeconds },
              warnings: renewed.warnings,
            };
          },
        },
      },
    });
  return [spec(""), spec("/*url_lease_id")];
}

function revokePaths(services: Services, pattern: string): PathSpec[] {
  const fields = {
    lease_id: LEASE_ID,
    url_lease_id: field.string({ description: "The lease's id, in the path." }),
    sync: SYNC,
  };
  const spec = (suffix: string): PathSpec =>
    path({
      pattern: pattern + suffix,
      fields,
      help: { synopsis: "Revoke a lease: its secret is gone, its sessions are ended." },
      operations: {
        update: {
          summary: "Revoke a lease.",
          handler: async ({ values }) => {
            const id = values.lease_id || values.url_lease_id;
            if (id === "") throw badRequest("lease_id must be specified");
            const { failed } = await endLease(services, id);
            return ended(failed, values.sync);
          },
        },
      },
    });
  return [spec(""), spec("/*url_lease_id")];
}

/**
 * Ours: a token gives back a lease that it asked for itself, which needs no right to revoke those of others. The default policy
 * allows it, as it allows a token to end itself.
 */
function releasePath(services: Services): PathSpec {
  return path({
    pattern: "leases/release",
    fields: { lease_id: LEASE_ID },
    help: { synopsis: "Revoke a lease that belongs to the token which asks." },
    operations: {
      update: {
        summary: "Revoke a lease of one's own.",
        handler: async (request) => {
          const id = request.values.lease_id;
          if (id === "") throw badRequest("lease_id must be specified");
          const lease = await readLease(services, id);
          if (lease === null) return undefined;
          const { caller } = builtinRequest(request);
          if (lease.record.tokenHash !== leaseOwner(caller))
            throw new ApiError(403, aggregate("permission denied"));
          const { failed } = await endLease(services, id);
          return ended(failed, true);
        },
      },
    },
  });
}

interface Failed {
  readonly record: { readonly id: string };
  readonly error: string;
}

/**
 * The answer to a revocation. What could not be revoked is never dropped; a caller that waits for the outcome gets it as an
 * error, one that does not as a warning.
 */
function ended(failed: readonly Failed[], sync: boolean): Reply | undefined {
  const [first] = failed;
  if (first === undefined) return sync ? undefined : { status: 202 };
  if (sync) {
    const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
    throw new ApiError(
      400,
      `failed to revoke "${first.record.id}"${more}: ${first.error}; it goes on being retried`,
    );
  }
  const text = `${failed.length} of the leases could not be revoked yet and go on being retried; the first, ${first.record.id}: ${first.error}`;
  return { status: 202, warnings: [text] };
}

function revokePrefixPath(services: Services, pattern: string): PathSpec {
  return path({
    pattern: `${pattern}/*prefix`,
    sudo: true,
    fields: {
      prefix: field.string({ description: "The path that the leases begin with." }),
      sync: SYNC,
      part: field.bool({
        description:
          "Revoke only the first of them, and answer with how many that were, how many there are, and where the next part goes on.",
      }),
      after: field.string({
        description: "With part: where it goes on, as the answer to the part before says.",
      }),
    },
    help: { synopsis: "Revoke all leases below a path." },
    operations: {
      update: {
        summary: "Revoke all leases below a path.",
        handler: async ({ values }) => {
          const prefix = leasePrefix(values.prefix);
          if (`${prefix}/`.startsWith("auth/")) {
            await revokeTokensUnder(services, prefix);
            return values.sync ? undefined : { status: 202 };
          }
          if (values.part) return partAnswer(await endPartUnder(services, prefix, values.after || undefined));
          const { failed } = await endLeasesUnder(services, { prefix });
          return ended(failed, values.sync);
        },
      },
    },
  });
}

function partAnswer({ revoked, failed, total, next }: PrefixPart): Reply {
  return {
    data: {
      revoked,
      failed: failed.length,
      ...(total === undefined ? {} : { total }),
      ...(next === undefined ? {} : { next }),
    },
  };
}

function revokeForcePath(services: Services, pattern: string): PathSpec {
  return path({
    pattern: `${pattern}/*prefix`,
    sudo: true,
    fields: { prefix: field.string({ description: "The path that the leases begin with." }) },
    help: {
      synopsis: "Revoke all leases below a path, and forget those whose secrets could not be revoked.",
    },
    operations: {
      update: {
        summary: "Revoke all leases below a path, whatever the backend says.",
        handler: async ({ values }) => {
          const left = await forceLeasesUnder(services, leasePrefix(values.prefix));
          if (left.length === 0) return undefined;
          const names = left.map((record) => record.principal ?? record.id).slice(0, 20);
          const text = `left behind in the backend, and no longer known here: ${names.join(", ")}`;
          return { warnings: [left.length > 20 ? `${text} and ${left.length - 20} more` : text] };
        },
      },
    },
  });
}

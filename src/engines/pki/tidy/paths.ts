import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { CERT_PREFIX } from "../issue/store.ts";
import { rfc3339 } from "../issue/validity.ts";
import { REVOKED_PREFIX } from "../revoke/record.ts";
import { autoTidyPath, readAutoTidy } from "./auto.ts";
import { TIDY_CHOICES, TIDY_FIELDS, type TidyTerms } from "./fields.ts";
import { NO_COUNTS, readTidy, type TidyRecord } from "./record.ts";
import { cancelTidy, startTidy } from "./run.ts";
import { checkTerms } from "./terms.ts";

/** `tidy`, `tidy-cancel`, `tidy-status`, `config/auto-tidy`. @see reference: tidy. */
export function tidyPaths(context: MountContext): PathSpec[] {
  return [
    path({
      pattern: "tidy",
      fields: TIDY_FIELDS,
      help: { synopsis: "Remove what has expired." },
      operations: {
        update: {
          summary: "Remove what has expired.",
          handler: ({ values: { tidy_revocation_list: older, ...terms } }) =>
            tidy(context, { ...terms, tidy_revoked_certs: terms.tidy_revoked_certs || older }),
        },
      },
    }),
    path({
      pattern: "tidy-cancel",
      fields: {},
      help: { synopsis: "Stop the tidy that is running." },
      operations: {
        update: {
          summary: "Stop the tidy.",
          handler: async () => {
            await cancelTidy(context);
            return { data: await status(context) };
          },
        },
      },
    }),
    path({
      pattern: "tidy-status",
      fields: {},
      help: { synopsis: "Show how far the tidy is that is running, or what the last one did." },
      operations: {
        read: { summary: "Show the tidy.", handler: async () => ({ data: await status(context) }) },
      },
    }),
    autoTidyPath(context),
  ];
}

async function tidy(context: MountContext, terms: TidyTerms): Promise<Reply> {
  checkTerms(terms);
  if (!TIDY_CHOICES.some((choice) => terms[choice])) {
    return {
      warnings: [
        `Manual tidy requested but no tidy operations were set. Enable at least one tidy operation to be run (${TIDY_CHOICES.join(" / ")}).`,
      ],
    };
  }
  if (!(await startTidy(context, terms, false))) {
    return { warnings: ["Tidy operation already in progress."] };
  }
  return {
    status: 202,
    warnings: [
      "Tidy operation successfully started. Any information from the operation will be printed to the server's logs.",
    ],
  };
}

async function status(context: MountContext): Promise<JsonObject> {
  const { storage } = context;
  const [{ record }, auto] = await Promise.all([readTidy(storage), readAutoTidy(storage)]);
  const counts = auto.maintain_stored_certificate_counts
    ? await Promise.all([storage.list(CERT_PREFIX), storage.list(REVOKED_PREFIX)])
    : null;
  const { certs, revoked, missingIssuer, acme } = record?.counts ?? NO_COUNTS;
  return {
    ...(record?.terms ?? {}),
    internal_backend_uuid: context.accessor,
    state: record?.outcome ?? "Inactive",
    error: record?.error === "" || record === null ? null : record.error,
    time_started: moment(record?.startedAt),
    time_finished: moment(record?.finishedAt),
    last_auto_tidy_finished: record?.isAuto === true ? moment(record.finishedAt) : null,
    message: messageOf(record),
    cert_store_deleted_count: certs,
    revoked_cert_deleted_count: revoked,
    missing_issuer_cert_count: missingIssuer,
    total_acme_account_count: acme.accounts,
    acme_account_revoked_count: acme.accountsRevoked,
    acme_account_deleted_count: acme.accountsDeleted,
    acme_orders_deleted_count: acme.ordersDeleted,
    current_cert_store_count: counts?.[0].length ?? null,
    current_revoked_cert_count: counts?.[1].length ?? null,
  } as JsonObject;
}

/** Null: it has not come. */
function moment(ms: number | undefined): string | null {
  return ms === undefined || ms === 0 ? null : rfc3339(ms);
}

function messageOf(record: TidyRecord | null): string | null {
  if (record?.outcome !== "Running") return null;
  return record.after === "" ? `Tidying ${record.phase}` : `Tidying ${record.phase}: after ${record.after}`;
}

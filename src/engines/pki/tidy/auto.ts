import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { field, type Values } from "../../../framework/field.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import { TIDY_CHOICES, TIDY_FIELDS, type TidyTerms } from "./fields.ts";
import { startTidy } from "./run.ts";
import { checkTerms } from "./terms.ts";

const AUTO_FIELDS = {
  ...TIDY_FIELDS,
  enabled: field.bool({ description: "Tidy at intervals." }),
  interval_duration: field.duration({ description: "How often.", default: 12 * 3600 }),
  maintain_stored_certificate_counts: field.bool({
    description: "tidy-status tells how many certificates and revocations are kept.",
  }),
  publish_stored_certificate_count_metrics: field.bool({
    description: "Nothing: the daemon's metrics have no figures of a mount's own.",
  }),
};

/** The settings of the tidy that is due at intervals. */
export type AutoTidy = TidyTerms &
  Pick<
    Values<typeof AUTO_FIELDS>,
    | "enabled"
    | "interval_duration"
    | "maintain_stored_certificate_counts"
    | "publish_stored_certificate_count_metrics"
  >;

export const AUTO_TIDY_KEY = "tidy/auto";

const DEFAULT = Object.fromEntries(
  Object.entries(AUTO_FIELDS)
    .filter(([name]) => name !== "tidy_revocation_list")
    .map(([name, spec]) => [name, spec.default ?? spec.zero]),
) as unknown as AutoTidy;

export async function readAutoTidy(storage: EngineStorage): Promise<AutoTidy> {
  const entry = await storage.get(AUTO_TIDY_KEY);
  return entry === null ? DEFAULT : (entry.value as unknown as AutoTidy);
}

async function writeAutoTidy({ storage, clock }: MountContext, config: AutoTidy): Promise<void> {
  const dueAt = config.enabled ? clock.now() + config.interval_duration * 1000 : null;
  const value = config as unknown as JsonObject;
  await storage.commit([{ op: "put", key: AUTO_TIDY_KEY, value, dueAt }]);
}

/** Due work: begins the tidy, and settles when the next one is due. */
export async function settleAutoTidy(context: MountContext): Promise<void> {
  const config = await readAutoTidy(context.storage);
  // First the time of the next one: a tidy that goes wrong must not be tried again and again.
  await writeAutoTidy(context, config);
  if (config.enabled) await startTidy(context, config, true);
}

/** `config/auto-tidy`. @see reference: tidy. */
export function autoTidyPath(context: MountContext): PathSpec {
  return path({
    pattern: "config/auto-tidy",
    fields: AUTO_FIELDS,
    help: { synopsis: "Show or change what is tidied at intervals." },
    operations: {
      read: {
        summary: "Show the settings.",
        handler: async () => ({ data: describe(await readAutoTidy(context.storage)) }),
      },
      update: {
        summary: "Change the given settings.",
        handler: async ({ given: { tidy_revocation_list: older, ...given } }) => {
          const present = await readAutoTidy(context.storage);
          const config: AutoTidy = {
            ...present,
            ...(older === undefined ? {} : { tidy_revoked_certs: older }),
            ...given,
          };
          checkTerms(config);
          if (config.interval_duration < 1) throw badRequest("interval_duration must be greater than zero");
          if (config.enabled && !TIDY_CHOICES.some((choice) => config[choice])) {
            throw badRequest(
              `Auto-tidy enabled but no tidy operations were requested. Enable at least one tidy operation to be run (${TIDY_CHOICES.join(" / ")}).`,
            );
          }
          await writeAutoTidy(context, config);
          return { data: describe(config) };
        },
      },
    },
  });
}

function describe(config: AutoTidy): JsonObject {
  return { ...config } as unknown as JsonObject;
}

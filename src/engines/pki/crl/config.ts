import { parseDurationSeconds } from "../../../base/duration.ts";
import { badRequest } from "../../../base/errors.ts";
import type { Values } from "../../../framework/field.ts";
import { field } from "../../../framework/field.ts";
import type { EngineStorage } from "../../../framework/storage.ts";

export const CRL_CONFIG_FIELDS = {
  expiry: field.string({ description: "How long a CRL is valid.", default: "72h" }),
  disable: field.bool({ description: "CRLs are empty." }),
  ocsp_disable: field.bool({ description: "OCSP requests are not answered." }),
  ocsp_expiry: field.string({
    description: "How long an OCSP answer is valid; 0 for not saying.",
    default: "12h",
  }),
  auto_rebuild: field.bool({
    description: "CRLs are rebuilt before they expire, and not at every revocation.",
  }),
  auto_rebuild_grace_period: field.string({
    description: "How long before its expiry a CRL is rebuilt.",
    default: "12h",
  }),
  enable_delta: field.bool({ description: "Delta CRLs list what was revoked since the complete one." }),
  delta_rebuild_interval: field.string({ description: "How often delta CRLs are rebuilt.", default: "15m" }),
};

/** Settings of CRLs and OCSP, as they are given; durations are text that {@link secondsOf} reads. */
export type CrlConfig = Values<typeof CRL_CONFIG_FIELDS>;

const KEY = "config/crl";

const DEFAULT: CrlConfig = {
  expiry: "72h",
  disable: false,
  ocsp_disable: false,
  ocsp_expiry: "12h",
  auto_rebuild: false,
  auto_rebuild_grace_period: "12h",
  enable_delta: false,
  delta_rebuild_interval: "15m",
};

export async function readCrlConfig(storage: EngineStorage): Promise<CrlConfig> {
  const entry = await storage.get(KEY);
  return entry === null ? DEFAULT : (entry.value as unknown as CrlConfig);
}

export async function writeCrlConfig(storage: EngineStorage, config: CrlConfig): Promise<void> {
  await storage.commit([{ op: "put", key: KEY, value: { ...config } }]);
}

/** A duration of the settings, in seconds. */
export function secondsOf(config: CrlConfig, name: DurationName): number {
  return parseDurationSeconds(config[name]);
}

type DurationName = "expiry" | "ocsp_expiry" | "auto_rebuild_grace_period" | "delta_rebuild_interval";

const DURATIONS: readonly DurationName[] = [
  "expiry",
  "ocsp_expiry",
  "auto_rebuild_grace_period",
  "delta_rebuild_interval",
];

/** @throws ApiError 400 in Vault's words. */
export function checkCrlConfig(config: CrlConfig): void {
  for (const name of DURATIONS) checkDuration(name, config[name]);
  const expiry = secondsOf(config, "expiry");
  if (expiry === 0) throw badRequest(`given expiry must be greater than zero: ${config.expiry}`);
  if (config.auto_rebuild && secondsOf(config, "auto_rebuild_grace_period") >= expiry) {
    throw badRequest(
      `CRL auto-rebuilding grace period (${config.auto_rebuild_grace_period}) must be strictly shorter than CRL expiry (${config.expiry}) value when auto-rebuilding of CRLs is enabled`,
    );
  }
  if (!config.enable_delta) return;
  if (!config.auto_rebuild) {
    throw badRequest(
      "Delta CRLs cannot be enabled when auto rebuilding is disabled as the complete CRL is always regenerated!",
    );
  }
  if (secondsOf(config, "delta_rebuild_interval") >= expiry) {
    throw badRequest(
      `CRL delta rebuild window (${config.delta_rebuild_interval}) must be strictly shorter than CRL expiry (${config.expiry}) value when delta CRLs are enabled`,
    );
  }
}

function checkDuration(name: DurationName, text: string): void {
  let seconds = -1;
  try {
    seconds = parseDurationSeconds(text);
  } catch {
    // Refused below, like a negative one.
  }
  if (seconds < 0) throw badRequest(`given ${name} could not be decoded: ${text}`);
}

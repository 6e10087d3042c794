import { parseDurationMs } from "../../../base/duration.ts";
import type { Json, JsonObject } from "../../../base/json.ts";
import type { HealthCheck } from "./check.ts";
import type { Finding } from "./finding.ts";
import { issuersIn, type MountView, unreadable } from "./mount-view.ts";
import { isYes, type SettingsReader } from "./settings.ts";

/** Reads a path of the mount, and judges what is there. */
async function onRead(
  view: MountView,
  path: string,
  what: string,
  judge: (data: JsonObject, endpoint: string) => readonly Finding[],
): Promise<readonly Finding[]> {
  const endpoint = view.endpoint(path);
  const fetched = await view.read(path);
  const problem = unreadable(fetched, endpoint, what);
  if (fetched.kind !== "found") return problem === null ? [] : [problem];
  return judge(fetched.data, endpoint);
}

/** Whether the mount tidies itself, often and fast enough. */
export const enableAutoTidy: HealthCheck = {
  name: "enable_auto_tidy",
  defaults: {
    enabled: true,
    interval_duration_critical: "7d",
    interval_duration_warning: "2d",
    pause_duration_critical: "1s",
    pause_duration_warning: "200ms",
    publish_metrics: false,
  },
  run: (view, settings) =>
    onRead(view, "config/auto-tidy", "configuration of auto-tidy", (data, endpoint) => {
      if (!isYes(data.enabled)) {
        const message = "Auto-tidy is off: what has expired is kept for ever.";
        return [{ status: "informational", endpoint, message }];
      }
      const findings = [
        tooLong(settings, data, endpoint, "interval_duration"),
        tooLong(settings, data, endpoint, "pause_duration"),
        ...unchosen(data, endpoint),
      ].filter((finding) => finding !== null);
      if (findings.length > 0) return findings;
      return [{ status: "ok", endpoint, message: "Auto-tidy is on." }];
    }),
};

function tooLong(
  settings: SettingsReader,
  data: JsonObject,
  endpoint: string,
  name: "interval_duration" | "pause_duration",
): Finding | null {
  const ms = durationMs(data[name]);
  for (const status of ["critical", "warning"] as const) {
    const limitMs = settings.durationMs(`${name}_${status}`);
    if (ms > limitMs)
      return { status, endpoint, message: `Auto-tidy's ${name} of ${data[name]} is too long to keep up.` };
  }
  return null;
}

function unchosen(data: JsonObject, endpoint: string): readonly Finding[] {
  return ["tidy_cert_store", "tidy_revoked_certs"]
    .filter((name) => !isYes(data[name]))
    .map((name) => ({
      status: "warning",
      endpoint,
      message: `Auto-tidy is on without ${name}, and leaves that be.`,
    }));
}

/** A duration in an answer: a text, or seconds. */
function durationMs(value: Json | undefined): number {
  try {
    return typeof value === "number" ? value * 1000 : parseDurationMs(String(value ?? ""));
  } catch {
    return 0;
  }
}

/** When the last tidy was. */
export const tidyLastRun: HealthCheck = {
  name: "tidy_last_run",
  defaults: { enabled: true, last_run_critical: "7d", last_run_warning: "2d" },
  run: (view, settings) =>
    onRead(view, "tidy-status", "status of the tidy", (data, endpoint) => {
      const finished = Date.parse(String(data.time_finished ?? ""));
      if (Number.isNaN(finished))
        return [{ status: "critical", endpoint, message: "The mount has never been tidied." }];
      const agoMs = view.now - finished;
      const hours = Math.floor(agoMs / 3_600_000);
      const message = `The last tidy was ${hours} hours ago.`;
      if (agoMs > settings.durationMs("last_run_critical"))
        return [{ status: "critical", endpoint, message }];
      if (agoMs > settings.durationMs("last_run_warning")) return [{ status: "warning", endpoint, message }];
      return [{ status: "ok", endpoint, message }];
    }),
};

/** How many certificates are kept. */
export const tooManyCerts: HealthCheck = {
  name: "too_many_certs",
  defaults: { enabled: true, count_critical: 250_000, count_warning: 50_000 },
  async run(view, settings) {
    const endpoint = view.endpoint("certs");
    const { fetched, keys } = await view.list("certs");
    if (fetched.kind === "denied" || fetched.kind === "unknown") {
      const problem = unreadable(fetched, endpoint, "list of certificates");
      return problem === null ? [] : [problem];
    }
    const message = `${keys.length} certificates are kept.`;
    if (keys.length >= settings.count("count_critical", 1))
      return [{ status: "critical", endpoint, message }];
    if (keys.length >= settings.count("count_warning", 1)) return [{ status: "warning", endpoint, message }];
    return [{ status: "ok", endpoint, message }];
  },
};

/** Whether intermediates can be asked for certificates by ACME clients, which renew by themselves. */
export const enableAcmeIssuance: HealthCheck = {
  name: "enable_acme_issuance",
  defaults: { enabled: true },
  async run(view) {
    const { issuers } = await issuersIn(view);
    if (issuers.length > 0 && issuers.every(({ isRoot }) => isRoot)) {
      const endpoint = view.endpoint("issuers");
      return [
        { status: "not_applicable", endpoint, message: "The mount has roots alone, which issue no leaves." },
      ];
    }
    return onRead(view, "config/acme", "configuration of ACME", (data, endpoint) =>
      isYes(data.enabled)
        ? [{ status: "ok", endpoint, message: "ACME is enabled." }]
        : [
            {
              status: "informational",
              endpoint,
              message: "ACME is off; with it clients renew by themselves.",
            },
          ],
    );
  },
};

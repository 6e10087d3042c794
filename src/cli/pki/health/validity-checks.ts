import { crlTimes, derOfPem } from "../extension-bytes.ts";
import type { HealthCheck } from "./check.ts";
import type { Finding, Status } from "./finding.ts";
import { type IssuerView, issuersIn, type MountView, objectIn } from "./mount-view.ts";
import { isYes, type SettingsReader } from "./settings.ts";

const DAY_MS = 86_400_000;

/** How long authorities are still valid. */
export const caValidityPeriod: HealthCheck = {
  name: "ca_validity_period",
  defaults: {
    enabled: true,
    root_expiry_critical: "180d",
    intermediate_expiry_critical: "30d",
    root_expiry_warning: "365d",
    intermediate_expiry_warning: "60d",
    root_expiry_informational: "730d",
    intermediate_expiry_informational: "180d",
  },
  async run(view, settings) {
    const { issuers, findings } = await issuersIn(view);
    return [...findings, ...issuers.map((issuer) => expiryOf(view, settings, issuer))];
  },
};

function expiryOf(view: MountView, settings: SettingsReader, issuer: IssuerView): Finding {
  const { endpoint, certificate, isRoot } = issuer;
  const what = isRoot ? "Root" : "Intermediate";
  const kind = isRoot ? "root" : "intermediate";
  const leftMs = Date.parse(certificate.validTo) - view.now;
  const days = Math.floor(leftMs / DAY_MS);
  if (leftMs <= 0) return { status: "critical", endpoint, message: `${what} CA has expired.` };
  for (const status of ["critical", "warning", "informational"] as const) {
    if (leftMs <= settings.durationMs(`${kind}_expiry_${status}`))
      return { status, endpoint, message: `${what} CA expires in ${days} days; plan its rotation.` };
  }
  return { status: "ok", endpoint, message: `${what} CA is valid for ${days} more days.` };
}

/** Whether CRLs are renewed in time. */
export const crlValidityPeriod: HealthCheck = {
  name: "crl_validity_period",
  defaults: { enabled: true, crl_expiry_pct_critical: "95", delta_crl_expiry_pct_critical: "95" },
  async run(view, settings) {
    const { issuers, findings } = await issuersIn(view);
    const config = await view.read("config/crl");
    const { disable, enable_delta } = objectIn(config.kind === "found" ? config.data : null);
    const all: Finding[] = [...findings];
    for (const issuer of issuers) {
      const limit = settings.count("crl_expiry_pct_critical", 1, 99);
      all.push(await crlOf(view, issuer, "crl", limit, isYes(disable)));
      if (!isYes(enable_delta)) continue;
      const deltaLimit = settings.count("delta_crl_expiry_pct_critical", 1, 99);
      all.push(await crlOf(view, issuer, "crl/delta", deltaLimit, isYes(disable)));
    }
    return all;
  },
};

async function crlOf(
  view: MountView,
  { id }: IssuerView,
  path: string,
  limit: number,
  isDisabled: boolean,
): Promise<Finding> {
  const endpoint = view.endpoint(`issuer/${id}/${path}`);
  const what = path === "crl" ? "CRL" : "Delta CRL";
  const fetched = await view.read(`issuer/${id}/${path}`);
  if (fetched.kind !== "found")
    return { status: "not_applicable", endpoint, message: `The issuer has no ${what}.` };
  let percent: number;
  try {
    const { thisUpdate, nextUpdate } = crlTimes(derOfPem(String(fetched.data.crl ?? fetched.data.text)));
    percent = Math.round(((view.now - thisUpdate) / (nextUpdate - thisUpdate)) * 100);
  } catch {
    return { status: "critical", endpoint, message: `The ${what} cannot be read.` };
  }
  const used = `${percent}% of its validity has passed`;
  if (percent < limit) return { status: "ok", endpoint, message: `${what} is in time: ${used}.` };
  // An old CRL that nobody is told to look at does no harm.
  const status: Status = isDisabled ? "informational" : "critical";
  return { status, endpoint, message: `${what} should have been rebuilt: ${used}.` };
}

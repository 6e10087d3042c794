import type { JsonObject } from "../../../base/json.ts";
import type { HealthCheck } from "./check.ts";
import type { Finding } from "./finding.ts";
import { type MountView, objectIn, textsIn, unreadable } from "./mount-view.ts";
import { isYes } from "./settings.ts";

/** Parameters and answers that tell nothing secret, and that one wants to read in an audit log. */
const VISIBLE_REQUEST = [
  ...["csr", "certificate", "issuer_ref", "common_name", "alt_names", "other_sans", "ip_sans", "uri_sans"],
  ...["ttl", "not_after", "serial_number", "key_type", "private_key_format", "user_ids", "role", "name"],
];
const VISIBLE_RESPONSE = ["certificate", "issuing_ca", "serial_number", "error", "ca_chain"];
/** Those that hold keys: nobody is to read them there. */
const SECRET_REQUEST = ["private_key", "pem_bundle", "pkcs12_password"];
const SECRET_RESPONSE = ["private_key", "pkcs12", "pkcs12_password"];

function tuneEndpoint({ mount }: MountView): string {
  return `/sys/mounts/${mount}/tune`;
}

/** Runs a check on the mount's tuning. */
async function onTuning(
  view: MountView,
  judge: (tuning: JsonObject, endpoint: string) => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const endpoint = tuneEndpoint(view);
  const tuning = await view.tuning();
  const problem = unreadable(tuning, endpoint, "tuning of the mount");
  if (tuning.kind !== "found") return problem === null ? [] : [problem];
  return judge(tuning.data, endpoint);
}

/** Whether an audit log shows what was issued, and no key. */
export const auditVisibility: HealthCheck = {
  name: "audit_visibility",
  defaults: { enabled: true, ignored_parameters: [] },
  run: (view, settings) =>
    onTuning(view, (tuning, endpoint) => {
      const ignored = new Set(settings.list("ignored_parameters"));
      const findings = (["request", "response"] as const).flatMap((direction): Finding[] => {
        const setting = `audit_non_hmac_${direction}_keys`;
        const shown = new Set(textsIn(tuning[setting]));
        const visible = direction === "request" ? VISIBLE_REQUEST : VISIBLE_RESPONSE;
        const secret = direction === "request" ? SECRET_REQUEST : SECRET_RESPONSE;
        const hidden = visible.filter((name) => !shown.has(name) && !ignored.has(name));
        const open = secret.filter((name) => shown.has(name) && !ignored.has(name));
        return [
          ...open.map((name) => ({
            status: "warning" as const,
            endpoint,
            message: `The audit log shows ${name} in clear; take it out of ${setting}.`,
          })),
          ...hidden.map((name) => ({
            status: "informational" as const,
            endpoint,
            message: `The audit log shows ${name} only as a hash; add it to ${setting}.`,
          })),
        ];
      });
      if (findings.length > 0) return findings;
      return [{ status: "ok", endpoint, message: "The audit log shows what was issued, and no key." }];
    }),
};

/** The headers that a setting lets through, in lower case. */
function headersIn(tuning: JsonObject, setting: string): ReadonlySet<string> {
  return new Set(textsIn(tuning[setting]).map((name) => name.toLowerCase()));
}

/** Whether clients may ask for CRLs only when they have changed. */
export const allowIfModifiedSince: HealthCheck = {
  name: "allow_if_modified_since",
  defaults: { enabled: true },
  run: (view) =>
    onTuning(view, (tuning, endpoint) => {
      const isAsked = headersIn(tuning, "passthrough_request_headers").has("if-modified-since");
      const isTold = headersIn(tuning, "allowed_response_headers").has("last-modified");
      const findings: Finding[] = [];
      if (!isAsked)
        findings.push({
          status: "informational",
          endpoint,
          message: "The mount does not see If-Modified-Since; add it to passthrough_request_headers.",
        });
      if (!isTold)
        findings.push({
          status: "informational",
          endpoint,
          message: "The mount cannot say Last-Modified; add it to allowed_response_headers.",
        });
      if (findings.length > 0) return findings;
      return [{ status: "ok", endpoint, message: "Clients may ask for what has changed only." }];
    }),
};

const ACME_HEADERS = ["Replay-Nonce", "Link", "Location"];

/** Whether the headers get out that ACME cannot do without. */
export const allowAcmeHeaders: HealthCheck = {
  name: "allow_acme_headers",
  defaults: { enabled: true },
  async run(view) {
    const config = await view.read("config/acme");
    const endpoint = tuneEndpoint(view);
    const problem = unreadable(config, view.endpoint("config/acme"), "configuration of ACME");
    if (config.kind !== "found") return problem === null ? [] : [problem];
    if (!isYes(objectIn(config.data).enabled))
      return [{ status: "not_applicable", endpoint, message: "ACME is not enabled." }];
    return onTuning(view, (tuning) => {
      const allowed = headersIn(tuning, "allowed_response_headers");
      const missing = ACME_HEADERS.filter((name) => !allowed.has(name.toLowerCase()));
      if (missing.length === 0) return [{ status: "ok", endpoint, message: "The headers of ACME get out." }];
      const message = `ACME is enabled and cannot work without ${missing.join(", ")}; add to allowed_response_headers.`;
      return [{ status: "warning", endpoint, message }];
    });
  },
};

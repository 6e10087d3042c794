import type { JsonObject } from "../../../base/json.ts";
import type { HealthCheck } from "./check.ts";
import type { Finding } from "./finding.ts";
import { type MountView, textsIn, unreadable } from "./mount-view.ts";
import { isYes, type SettingsReader } from "./settings.ts";

const DEFAULTS = { enabled: true, allowed_roles: [] };

/** Whether roles issue for this machine's own name, which is everybody's. */
export const roleAllowsLocalhost = roleCheck("role_allows_localhost", (role) =>
  isYes(role.allow_localhost)
    ? {
        status: "warning",
        message: "The role allows localhost, for which every machine has a use; set allow_localhost=false.",
      }
    : { status: "ok", message: "The role does not allow localhost." },
);

/** Whether a pattern of a role's domains may be a wildcard in a certificate too. */
export const roleAllowsGlobWildcards = roleCheck("role_allows_glob_wildcards", (role) => {
  const globs = textsIn(role.allowed_domains).filter((domain) => domain.includes("*"));
  const isWide =
    isYes(role.allow_wildcard_certificates) && isYes(role.allow_glob_domains) && globs.length > 0;
  return isWide
    ? {
        status: "warning",
        message:
          "The role allows wildcards for domains that are patterns; set allow_wildcard_certificates=false.",
      }
    : { status: "ok", message: "The role does not allow wildcards for patterns." };
});

/** Whether what roles issue is kept, and so fills the store. */
export const roleNoStoreFalse = roleCheck("role_no_store_false", (role) =>
  isYes(role.no_store)
    ? { status: "ok", message: "What the role issues is not kept." }
    : {
        status: "warning",
        message: "What the role issues is kept; with many short-lived certificates set no_store=true.",
      },
);

type Judgement = Pick<Finding, "status" | "message">;

function roleCheck(name: string, judge: (role: JsonObject) => Judgement): HealthCheck {
  return {
    name,
    defaults: DEFAULTS,
    run: (view, settings) => rolesOf(view, settings, judge),
  };
}

async function rolesOf(
  view: MountView,
  settings: SettingsReader,
  judge: (role: JsonObject) => Judgement,
): Promise<readonly Finding[]> {
  const allowed = new Set(settings.list("allowed_roles"));
  const { fetched, keys } = await view.list("roles");
  const listEndpoint = view.endpoint("roles");
  if (fetched.kind !== "found") {
    const problem = unreadable(fetched, listEndpoint, "list of roles");
    return problem === null ? [] : [problem];
  }
  const findings: Finding[] = [];
  for (const name of keys.filter((key) => !allowed.has(key))) {
    const endpoint = view.endpoint(`roles/${name}`);
    const role = await view.read(`roles/${name}`);
    const problem = unreadable(role, endpoint, "role");
    if (problem !== null) findings.push(problem);
    if (role.kind === "found") findings.push({ endpoint, ...judge(role.data) });
  }
  return findings;
}

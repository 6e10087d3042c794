import { isIP } from "node:net";
import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { field, type Values } from "../../../framework/field.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import { type Directory, directoryPath } from "./directory.ts";
import type { CertificateSource } from "./source.ts";

const KEY = "config/acme";

const EAB_POLICIES = ["not-required", "new-account-required", "always-required"];

const FIELDS = {
  enabled: field.bool({ description: "Whether ACME clients are served. Needs the path of config/cluster." }),
  allowed_issuers: field.commaStringList({
    description: "Issuers whose directories may be used, by id or name; * for all.",
    default: ["*"],
  }),
  allowed_roles: field.commaStringList({
    description: "Roles whose directories may be used; * for all.",
    default: ["*"],
  }),
  allow_role_ext_key_usage: field.bool({
    description:
      "Puts the role's extended key usages into certificates, instead of server authentication alone.",
  }),
  default_directory_policy: field.string({
    description: "What directories without a role do: forbid, sign-verbatim, or role:NAME.",
    default: "sign-verbatim",
  }),
  dns_resolver: field.string({
    description: "The DNS server that validation asks, as IP:port; empty for the machine's own.",
  }),
  eab_policy: field.string({
    description:
      "Who needs an external account binding: not-required, new-account-required, or always-required (accounts " +
      "made without one are refused too).",
    default: "not-required",
  }),
  http01_port: field.int({
    description:
      "The port that http-01 connects to. For tests alone: on another port than 80 a challenge proves nothing about " +
      "who runs the machine.",
    default: 80,
  }),
  tls_alpn01_port: field.int({
    description: "The port that tls-alpn-01 connects to. For tests alone, as http01_port.",
    default: 443,
  }),
};

/** The configuration, as its parameters are named. */
export type AcmeConfig = Values<typeof FIELDS>;

const DEFAULTS: AcmeConfig = {
  enabled: false,
  allowed_issuers: ["*"],
  allowed_roles: ["*"],
  allow_role_ext_key_usage: false,
  default_directory_policy: "sign-verbatim",
  dns_resolver: "",
  eab_policy: "not-required",
  http01_port: 80,
  tls_alpn01_port: 443,
};

export async function readAcmeConfig(storage: EngineStorage): Promise<AcmeConfig> {
  const entry = await storage.get(KEY);
  return entry === null ? DEFAULTS : { ...DEFAULTS, ...(entry.value as Partial<AcmeConfig>) };
}

/** The role that the default directory issues by; empty: sign-verbatim. Null: it is closed. */
export function defaultRole({ default_directory_policy: policy }: AcmeConfig): string | null {
  if (policy === "forbid") return null;
  return policy.startsWith("role:") ? policy.slice("role:".length) : "";
}

/** `config/acme`. What is not given stays as it is. */
export function acmeConfigPath(
  { storage }: Pick<MountContext, "storage">,
  source: Pick<CertificateSource, "clusterPath" | "problemOf">,
): PathSpec {
  return path({
    pattern: "config/acme",
    fields: FIELDS,
    help: {
      synopsis: "Configure ACME.",
      description:
        "The mount has to let the response headers Replay-Nonce, Link and Location through: tune it with " +
        "-allowed-response-headers.",
    },
    operations: {
      read: {
        summary: "Show how ACME is configured.",
        handler: async () => ({ data: shown(await readAcmeConfig(storage)) }),
      },
      update: {
        summary: "Change how ACME is configured.",
        handler: async ({ given }) => {
          const config = { ...(await readAcmeConfig(storage)), ...given };
          check(config);
          if (config.enabled && (await source.clusterPath()) === "") {
            throw badRequest("ACME feature requires local cluster 'path' field configuration to be set");
          }
          await storage.commit([{ op: "put", key: KEY, value: shown(config) }]);
          return { data: shown(config), warnings: config.enabled ? await doubts(source, config) : [] };
        },
      },
    },
  });
}

function shown(config: AcmeConfig): JsonObject {
  return {
    ...config,
    allowed_issuers: [...config.allowed_issuers],
    allowed_roles: [...config.allowed_roles],
  };
}

/** Which of the directories that are named cannot issue as things stand. What is missing may still come. */
async function doubts(
  source: Pick<CertificateSource, "problemOf">,
  config: AcmeConfig,
): Promise<readonly string[]> {
  const role = defaultRole(config);
  const named = (list: readonly string[]): readonly string[] => list.filter((name) => name !== "*");
  const directories: readonly Directory[] = [
    ...named(config.allowed_roles).map((name) => ({ issuerRef: "", role: name })),
    ...named(config.allowed_issuers).map((name) => ({ issuerRef: name, role: "" })),
    ...(role === null ? [] : [{ issuerRef: "", role: "" }]),
  ];
  const found: string[] = [];
  for (const directory of directories) {
    const terms = {
      issuerRef: directory.issuerRef,
      role: directory.role === "" ? (role ?? "") : directory.role,
      withRoleUsages: config.allow_role_ext_key_usage,
    };
    const problem = await source.problemOf(terms);
    if (problem !== null)
      found.push(`the directory ${directoryPath(directory)} cannot issue yet: ${problem}`);
  }
  return found;
}

/** @throws ApiError 400 naming the first field that is wrong. */
function check(config: AcmeConfig): void {
  if (config.allowed_issuers.length === 0)
    throw badRequest("allowed_issuers must take a non-zero length value");
  if (config.allowed_roles.length === 0) throw badRequest("allowed_roles must take a non-zero length value");
  if (!EAB_POLICIES.includes(config.eab_policy)) {
    throw badRequest(
      `invalid eab policy name: ${config.eab_policy}; it is one of ${EAB_POLICIES.join(", ")}`,
    );
  }
  const policy = config.default_directory_policy;
  if (policy !== "forbid" && policy !== "sign-verbatim" && !/^role:.+$/.test(policy)) {
    throw badRequest(
      `string "${policy}" not a valid Default Directory Policy; it is forbid, sign-verbatim or role:NAME`,
    );
  }
  if (config.dns_resolver !== "") checkResolver(config.dns_resolver);
  for (const name of ["http01_port", "tls_alpn01_port"] as const) {
    if (config[name] < 1 || config[name] > 65_535)
      throw badRequest(`${name} must be a port, from 1 to 65535`);
  }
}

function checkResolver(text: string): void {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const isGood = isIP(host) !== 0 && Number(port) >= 1 && Number(port) <= 65_535;
  if (!isGood)
    throw badRequest(`failed to parse DNS resolver address: ${text}: it must be an IP address with a port`);
}

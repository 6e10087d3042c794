import { badRequest, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field, type Values } from "../../framework/field.ts";
import { type Config, type KeySource, readConfig, writeConfig } from "./config.ts";
import { webUrl } from "./fetch-json.ts";
import { fetchKeys } from "./key-source.ts";
import { type Algorithm, isAlgorithm, keyOfPem } from "./keys.ts";

const PEMS_MAX = 100;

const FIELDS = {
  oidc_discovery_url: field.string({
    description: "The issuer's URL; its keys are found by OIDC discovery.",
  }),
  oidc_discovery_ca_pem: field.string({ description: "Certificates to trust when asking the issuer." }),
  oidc_client_id: field.string({ description: "Of browser logins, which vsec does not have: refused." }),
  oidc_client_secret: field.string({
    description: "Of browser logins, which vsec does not have: refused.",
    sensitive: true,
  }),
  jwks_url: field.string({ description: "The URL of a JSON Web Key Set." }),
  jwks_ca_pem: field.string({ description: "Certificates to trust when fetching the key set." }),
  jwt_validation_pubkeys: field.commaStringList({ description: "Public keys or certificates, in PEM." }),
  bound_issuer: field.string({ description: "The iss claim that tokens must have." }),
  jwt_supported_algs: field.commaStringList({
    description:
      "Algorithms of signatures that are accepted; by default RS, ES and PS 256 to 512, and EdDSA.",
  }),
  default_role: field.lowerCaseString({ description: "The role of logins that name none." }),
  provider_config: field.map({ description: "Of browser logins, which vsec does not have: refused." }),
  namespace_in_state: field.bool({ description: "Of browser logins; without effect." }),
};

/** `config`. @see reference: JWT. */
export function configPaths({ storage }: AuthContext): PathSpec[] {
  return [
    path({
      pattern: "config",
      fields: FIELDS,
      help: {
        synopsis: "Say whose tokens are believed.",
        description: "A write replaces the whole configuration.",
      },
      operations: {
        read: {
          summary: "Show the configuration.",
          handler: async () => {
            const config = await readConfig(storage);
            return config === null ? undefined : { data: describe(config) };
          },
        },
        update: {
          summary: "Set the configuration.",
          handler: async ({ values }) => {
            refuseBrowserLogins(values);
            const config: Config = {
              source: await readSource(values),
              boundIssuer: values.bound_issuer,
              supportedAlgs: readAlgorithms(values.jwt_supported_algs),
              defaultRole: values.default_role,
            };
            await writeConfig(storage, config);
            return undefined;
          },
        },
      },
    }),
  ];
}

function refuseBrowserLogins(values: Values<typeof FIELDS>): void {
  const given = (["oidc_client_id", "oidc_client_secret"] as const).filter((name) => values[name] !== "");
  const names = [...given, ...(Object.keys(values.provider_config).length > 0 ? ["provider_config"] : [])];
  if (names.length === 0) return;
  throw badRequest(
    `${names.join(", ")}: vsec has no browser logins, only those with a token (role_type jwt)`,
  );
}

async function readSource(values: Values<typeof FIELDS>): Promise<KeySource> {
  const pems = values.jwt_validation_pubkeys.filter((pem) => pem !== "");
  const given = [values.oidc_discovery_url !== "", values.jwks_url !== "", pems.length > 0];
  if (given.filter(Boolean).length !== 1) {
    throw badRequest(
      "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or 'provider_config' must be set",
    );
  }
  if (pems.length > 0) return { kind: "pem", pems: readPems(pems) };
  const source: KeySource =
    values.jwks_url !== ""
      ? { kind: "jwks", url: values.jwks_url, caPem: values.jwks_ca_pem }
      : { kind: "oidc", url: values.oidc_discovery_url, caPem: values.oidc_discovery_ca_pem };
  await check(source);
  return source;
}

function readPems(pems: readonly string[]): readonly string[] {
  if (pems.length > PEMS_MAX) throw badRequest(`more than ${PEMS_MAX} public keys`);
  for (const pem of pems) {
    try {
      keyOfPem(pem);
    } catch (error) {
      throw badRequest(`error parsing public key: ${messageOf(error)}`, error);
    }
  }
  return pems;
}

async function check(source: Exclude<KeySource, { kind: "pem" }>): Promise<void> {
  const what = source.kind === "jwks" ? "jwks URL" : "oidc discovery URL";
  if (webUrl(source.url) === null) throw badRequest(`error checking ${what}: it is not an http or https URL`);
  try {
    const keys = await fetchKeys(source);
    if (keys.length === 0) throw new SyntaxError("it has no key that verifies signatures");
  } catch (error) {
    throw badRequest(`error checking ${what}: ${messageOf(error)}`, error);
  }
}

function readAlgorithms(names: readonly string[]): readonly Algorithm[] {
  const given = names.filter((name) => name !== "");
  const unknown = given.find((name) => !isAlgorithm(name));
  if (unknown !== undefined) throw badRequest(`unsupported signing algorithm ${JSON.stringify(unknown)}`);
  return given.filter(isAlgorithm);
}

function describe({ source, boundIssuer, supportedAlgs, defaultRole }: Config): JsonObject {
  const remote = (kind: KeySource["kind"]) =>
    source.kind === kind && source.kind !== "pem" ? source : { url: "", caPem: "" };
  return {
    bound_issuer: boundIssuer,
    default_role: defaultRole,
    jwks_ca_pem: remote("jwks").caPem,
    jwks_url: remote("jwks").url,
    jwt_supported_algs: supportedAlgs,
    jwt_validation_pubkeys: source.kind === "pem" ? source.pems : [],
    namespace_in_state: false,
    oidc_client_id: "",
    oidc_discovery_ca_pem: remote("oidc").caPem,
    oidc_discovery_url: remote("oidc").url,
    oidc_response_mode: "",
    oidc_response_types: [],
    provider_config: {},
  };
}

/** What the connection details of a Cassandra connection mean. @see reference: engines.md section 1.9.5. */

import { badRequest } from "../../../../base/errors.ts";
import { isJsonObject, type JsonObject, parseInput } from "../../../../base/json.ts";
import { booleanDetail, textDetail } from "../../connection-url.ts";
import { durationDetail, numberDetail, portDetail, requiredDetail } from "../../details.ts";

/** PEM texts that a client shows and trusts. */
export interface Material {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly authorities: string | undefined;
}

export interface CassandraSettings {
  readonly hosts: readonly string[];
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly tls:
    | (Material & {
        readonly isVerified: boolean;
        readonly serverName: string;
        readonly minVersion: TlsVersion;
      })
    | undefined;
  readonly isVerificationSkipped: boolean;
  /** 0: as the server and the driver agree. */
  readonly protocolVersion: number;
  readonly connectTimeoutMs: number;
  readonly isKeptAlive: boolean;
  /** Undefined: the driver's, LOCAL_ONE. */
  readonly consistency: string | undefined;
  /** "": any. */
  readonly localDatacenter: string;
}

type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

const TLS_VERSIONS: Readonly<Record<string, TlsVersion>> = {
  tls10: "TLSv1",
  tls11: "TLSv1.1",
  tls12: "TLSv1.2",
  tls13: "TLSv1.3",
};

const CONSISTENCIES = [
  ...["any", "one", "two", "three", "quorum", "all", "localQuorum", "eachQuorum", "localOne"],
] as const;

/** Reads connection details. @throws ApiError 400 with Vault's texts. */
export function cassandraSettings(details: JsonObject): CassandraSettings {
  return {
    hosts: requiredDetail(details, "hosts")
      .split(",")
      .map((host) => host.trim())
      .filter((host) => host !== ""),
    username: requiredDetail(details, "username"),
    password: requiredDetail(details, "password"),
    port: portDetail(details, "port", 9042),
    tls: tlsOf(details),
    isVerificationSkipped: booleanDetail(details, "skip_verification"),
    protocolVersion: numberDetail(details, "protocol_version", { min: 1, max: 6, fallback: 0 }),
    connectTimeoutMs: durationDetail(details, "connect_timeout", { max: 20_000, fallback: 5_000 }),
    isKeptAlive: durationDetail(details, "socket_keep_alive", { max: 86_400_000, fallback: 0 }) > 0,
    consistency: consistencyOf(textDetail(details, "consistency")),
    localDatacenter: textDetail(details, "local_datacenter"),
  };
}

function consistencyOf(text: string): string | undefined {
  if (text === "") return undefined;
  const plain = text.replaceAll("_", "").toLowerCase();
  const name = CONSISTENCIES.find((candidate) => candidate.toLowerCase() === plain);
  if (name === undefined) throw badRequest(`invalid consistency "${text}"`);
  return name;
}

function tlsOf(details: JsonObject): CassandraSettings["tls"] {
  const bundle = textDetail(details, "pem_bundle");
  const json = textDetail(details, "pem_json");
  if (bundle !== "" && json !== "") throw badRequest("cannot specify both pem_json and pem_bundle");
  if (!booleanDetail(details, "tls") && bundle === "" && json === "") return undefined;
  const version = textDetail(details, "tls_min_version") || "tls12";
  const minVersion = Object.hasOwn(TLS_VERSIONS, version) ? TLS_VERSIONS[version] : undefined;
  if (minVersion === undefined) throw badRequest(`invalid 'tls_min_version': ${version}`);
  return {
    ...(json === "" ? fromBundle(bundle) : fromJson(json)),
    isVerified: !booleanDetail(details, "insecure_tls"),
    serverName: textDetail(details, "tls_server_name"),
    minVersion,
  };
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** A certificate with its key comes first; certificates after it, or alone, are authorities. */
function fromBundle(bundle: string): Material {
  const blocks = [...bundle.matchAll(BLOCK)].map(([text, type = ""]) => ({
    text,
    isKey: type.endsWith("PRIVATE KEY"),
  }));
  if (bundle !== "" && blocks.length === 0) throw badRequest("pem_bundle is not a PEM text");
  const key = blocks.find(({ isKey }) => isKey)?.text;
  const certificates = blocks.filter(({ isKey }) => !isKey).map(({ text }) => text);
  const own = key === undefined ? 0 : 1;
  const authorities = certificates.slice(own).join("\n");
  return {
    key,
    certificate: key === undefined ? undefined : certificates[0],
    authorities: authorities === "" ? undefined : authorities,
  };
}

/** The answer of a PKI issue, whole or its data alone. */
function fromJson(text: string): Material {
  let value: unknown;
  try {
    value = parseInput(text);
  } catch (error) {
    throw badRequest("pem_json is not JSON", error);
  }
  const outer = isJsonObject(value) ? value : {};
  const data = isJsonObject(outer.data) ? outer.data : outer;
  const pem = (name: string) =>
    typeof data[name] === "string" && data[name] !== "" ? data[name] : undefined;
  const chain = Array.isArray(data.ca_chain) ? data.ca_chain.filter((item) => typeof item === "string") : [];
  const authorities = [...new Set([...chain, pem("issuing_ca")])]
    .filter((item) => item !== undefined)
    .join("\n");
  return {
    certificate: pem("certificate"),
    key: pem("private_key"),
    authorities: authorities === "" ? undefined : authorities,
  };
}

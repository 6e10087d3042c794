import { badRequest } from "../../../base/errors.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import { isUri } from "../issue/requested.ts";
import { type IssuerRecord, type IssuerUrls, NO_URLS } from "./record.ts";

/** Where the mount is reached from outside, for templates and ACME. Empty: not said. */
export interface Cluster {
  readonly path: string;
  readonly aiaPath: string;
}

const URLS_KEY = "config/urls";
export const CLUSTER_KEY = "config/cluster";

export async function readUrls(storage: EngineStorage): Promise<IssuerUrls> {
  const entry = await storage.get(URLS_KEY);
  return entry === null ? NO_URLS : (entry.value as unknown as IssuerUrls);
}

export async function writeUrls(storage: EngineStorage, urls: IssuerUrls): Promise<void> {
  await storage.commit([{ op: "put", key: URLS_KEY, value: { ...urls } }]);
}

export async function readCluster(storage: EngineStorage): Promise<Cluster> {
  const entry = await storage.get(CLUSTER_KEY);
  return entry === null ? { path: "", aiaPath: "" } : (entry.value as unknown as Cluster);
}

export async function writeCluster(storage: EngineStorage, cluster: Cluster): Promise<void> {
  await storage.commit([{ op: "put", key: CLUSTER_KEY, value: { ...cluster } }]);
}

export function hasUrls({
  issuingCertificates,
  crlDistributionPoints,
  deltaCrlDistributionPoints,
  ocspServers,
}: IssuerUrls): boolean {
  return [issuingCertificates, crlDistributionPoints, deltaCrlDistributionPoints, ocspServers].some(
    (urls) => urls.length > 0,
  );
}

const TEMPLATE = /\{\{\s*(issuer_id|cluster_path|cluster_aia_path)\s*\}\}/g;

/** @throws ApiError 400 naming the first that is no URL. */
export function checkUrls(urls: IssuerUrls): void {
  const lists = {
    issuing_certificates: urls.issuingCertificates,
    crl_distribution_points: urls.crlDistributionPoints,
    delta_crl_distribution_points: urls.deltaCrlDistributionPoints,
    ocsp_servers: urls.ocspServers,
  };
  for (const [field, list] of Object.entries(lists)) {
    for (const url of list) {
      const sample = urls.isTemplate ? url.replace(TEMPLATE, (_all, name) => SAMPLES[name as Template]) : url;
      if (isUri(sample)) continue;
      throw badRequest(`invalid URL found in Authority Information Access (AIA) parameter ${field}: ${url}`);
    }
  }
}

type Template = "issuer_id" | "cluster_path" | "cluster_aia_path";
const SAMPLES: Readonly<Record<Template, string>> = {
  issuer_id: "00000000-0000-0000-0000-000000000000",
  cluster_path: "http://localhost/v1/pki",
  cluster_aia_path: "http://localhost/v1/pki",
};

/**
 * The URLs that go into what an issuer issues: its own if it has any, else the mount's, templates filled.
 * @throws ApiError 400 when a template asks for what has not been configured.
 */
export async function urlsFor(
  storage: EngineStorage,
  issuer: Pick<IssuerRecord, "id" | "urls">,
): Promise<IssuerUrls> {
  const urls = hasUrls(issuer.urls) ? issuer.urls : await readUrls(storage);
  if (!urls.isTemplate) return urls;
  const cluster = await readCluster(storage);
  const values: Readonly<Record<Template, string>> = {
    issuer_id: issuer.id,
    cluster_path: cluster.path,
    cluster_aia_path: cluster.aiaPath,
  };
  const fill = (list: readonly string[]): readonly string[] => list.map((url) => filled(url, values));
  return {
    issuingCertificates: fill(urls.issuingCertificates),
    crlDistributionPoints: fill(urls.crlDistributionPoints),
    deltaCrlDistributionPoints: fill(urls.deltaCrlDistributionPoints),
    ocspServers: fill(urls.ocspServers),
    isTemplate: false,
  };
}

function filled(url: string, values: Readonly<Record<Template, string>>): string {
  const text = url.replace(TEMPLATE, (_all, name) => {
    const value = values[name as Template];
    if (value !== "") return value;
    const field = name === "cluster_path" ? "path" : "aia_path";
    throw badRequest(`the URL ${url} needs the field ${field} of config/cluster, which is not set`);
  });
  if (isUri(text)) return text;
  throw badRequest(`the URL ${url} is none when its templates are filled`);
}

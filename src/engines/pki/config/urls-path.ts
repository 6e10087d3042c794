import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { field, type Given } from "../../../framework/field.ts";
import type { IssuerUrls } from "../issuers/record.ts";
import { checkUrls, readCluster, readUrls, writeUrls } from "../issuers/urls.ts";

/** The URLs that an issuer may have of its own, and the mount for all others. */
export const URL_FIELDS = {
  issuing_certificates: field.commaStringList({
    description: "Where the issuer's certificate is to be had.",
  }),
  crl_distribution_points: field.commaStringList({ description: "Where the CRL is to be had." }),
  delta_crl_distribution_points: field.commaStringList({ description: "Where the delta CRL is to be had." }),
  ocsp_servers: field.commaStringList({ description: "Where OCSP requests are answered." }),
};

/** The present URLs with what was given. */
export function mergeUrls(present: IssuerUrls, given: Given<typeof URL_FIELDS>): IssuerUrls {
  return {
    ...present,
    issuingCertificates: given.issuing_certificates ?? present.issuingCertificates,
    crlDistributionPoints: given.crl_distribution_points ?? present.crlDistributionPoints,
    deltaCrlDistributionPoints: given.delta_crl_distribution_points ?? present.deltaCrlDistributionPoints,
    ocspServers: given.ocsp_servers ?? present.ocspServers,
  };
}

export function describeUrls(urls: IssuerUrls): JsonObject {
  return {
    issuing_certificates: urls.issuingCertificates,
    crl_distribution_points: urls.crlDistributionPoints,
    delta_crl_distribution_points: urls.deltaCrlDistributionPoints,
    ocsp_servers: urls.ocspServers,
  };
}

/** `config/urls`. @see reference: PKI configuration. */
export function urlsPath({ storage }: MountContext): PathSpec {
  const describe = (urls: IssuerUrls): JsonObject => ({
    ...describeUrls(urls),
    enable_templating: urls.isTemplate,
  });
  return path({
    pattern: "config/urls",
    fields: {
      ...URL_FIELDS,
      enable_templating: field.bool({
        description: "The URLs hold {{issuer_id}}, {{cluster_path}} or {{cluster_aia_path}}.",
      }),
    },
    help: {
      synopsis: "Show or change the URLs that go into certificates of issuers without URLs of their own.",
    },
    operations: {
      read: {
        summary: "Show the URLs.",
        handler: async () => ({ data: describe(await readUrls(storage)) }),
      },
      update: {
        summary: "Change the given URLs.",
        handler: async ({ given }) => {
          const present = await readUrls(storage);
          const isTemplate = given.enable_templating ?? present.isTemplate;
          const urls = { ...mergeUrls(present, given), isTemplate };
          checkUrls(urls);
          await writeUrls(storage, urls);
          const cluster = await readCluster(storage);
          const warnings =
            isTemplate && (cluster.path === "" || cluster.aiaPath === "")
              ? [
                  "templates of the cluster's paths need path and aia_path of config/cluster; until they are set nothing can be issued with them",
                ]
              : [];
          return { data: describe(urls), warnings };
        },
      },
    },
  });
}

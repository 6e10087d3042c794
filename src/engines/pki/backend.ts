import type { Backend, MountContext } from "../../framework/backend.ts";
import { isAcmeKey, settleAcme } from "./acme/due.ts";
import { engineSource } from "./acme/engine-source.ts";
import { acmePaths } from "./acme/paths.ts";
import { deleteRootPath } from "./ca/delete-root-path.ts";
import { importPaths } from "./ca/import-paths.ts";
import { intermediatePaths } from "./ca/intermediate-paths.ts";
import { rootPaths } from "./ca/root-paths.ts";
import { signIntermediatePaths } from "./ca/sign-intermediate.ts";
import { signSelfIssuedPaths } from "./ca/sign-self-issued.ts";
import { clusterPath } from "./config/cluster-path.ts";
import { defaultPaths } from "./config/default-paths.ts";
import { urlsPath } from "./config/urls-path.ts";
import { crlPaths } from "./crl/paths.ts";
import { settleScope } from "./crl/rebuild.ts";
import { crlSignPaths } from "./crl/sign-paths.ts";
import { CRL_PREFIX } from "./crl/state.ts";
import { issuePaths } from "./issue/paths.ts";
import { verbatimPaths } from "./issue/verbatim-paths.ts";
import { issuerPaths } from "./issuers/paths.ts";
import { revokeIssuerPath } from "./issuers/revoke-path.ts";
import { keyPaths } from "./keys/paths.ts";
import { ocspPaths } from "./ocsp/paths.ts";
import { caPaths } from "./read/ca-paths.ts";
import { certPaths } from "./read/cert-paths.ts";
import { crlReadPaths } from "./read/crl-paths.ts";
import { revokePaths } from "./revoke/paths.ts";
import { certificateSecret } from "./revoke/secret.ts";
import { rolePaths } from "./roles/paths.ts";
import { AUTO_TIDY_KEY, settleAutoTidy } from "./tidy/auto.ts";
import { tidyPaths } from "./tidy/paths.ts";
import { TIDY_KEY } from "./tidy/record.ts";
import { stepTidy } from "./tidy/run.ts";

/** The PKI engine: certificate authorities, and what they issue. */
export function pkiEngine(context: MountContext): Backend {
  return {
    help:
      "The pki engine keeps certificate authorities and issues certificates: with keys that it makes, or for requests. What " +
      "may be issued is defined by roles.",
    paths: [
      ...rootPaths(context),
      ...intermediatePaths(context),
      ...importPaths(context),
      ...signIntermediatePaths(context),
      ...signSelfIssuedPaths(context),
      deleteRootPath(context),
      ...issuerPaths(context),
      revokeIssuerPath(context),
      ...keyPaths(context),
      ...rolePaths(context),
      ...issuePaths(context),
      ...verbatimPaths(context),
      ...revokePaths(context),
      ...crlPaths(context),
      ...crlSignPaths(context),
      ...tidyPaths(context),
      urlsPath(context),
      clusterPath(context),
      ...defaultPaths(context),
      ...caPaths(context),
      ...crlReadPaths(context),
      ...certPaths(context),
      ...ocspPaths(context),
      ...acmePaths(context, engineSource(context)),
    ],
    secrets: [certificateSecret(context)],
    due: async (key) => {
      if (isAcmeKey(key)) await settleAcme(context, key);
      if (key === TIDY_KEY) await stepTidy(context);
      if (key === AUTO_TIDY_KEY) await settleAutoTidy(context);
      if (key.startsWith(CRL_PREFIX)) await settleScope(context, key.slice(CRL_PREFIX.length));
    },
  };
}

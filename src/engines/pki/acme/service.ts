import type { MountContext } from "../../../framework/backend.ts";
import { type AcmeConfig, defaultRole, readAcmeConfig } from "./config.ts";
import { type Directory, directoryPath } from "./directory.ts";
import { Nonces } from "./nonces.ts";
import { AcmeProblem } from "./problem.ts";
import type { CertificateSource, IssuingTerms } from "./source.ts";

/** What the handlers of ACME share. */
export interface AcmeService {
  readonly context: MountContext;
  readonly source: CertificateSource;
  readonly nonces: Nonces;
}

export function acmeService(context: MountContext, source: CertificateSource): AcmeService {
  return { context, source, nonces: new Nonces(context) };
}

/** A directory that may be used, with what its requests need. */
export interface OpenDirectory {
  readonly directory: Directory;
  readonly config: AcmeConfig;
  readonly terms: IssuingTerms;
  /** `https://ca.example.com/v1/pki/acme`, without a trailing slash. */
  readonly url: string;
}

/** @throws AcmeProblem when ACME is off, or the directory is closed or cannot issue. */
export async function openDirectory(
  { context, source }: Pick<AcmeService, "context" | "source">,
  directory: Directory,
): Promise<OpenDirectory> {
  const config = await readAcmeConfig(context.storage);
  const clusterPath = await source.clusterPath();
  if (!config.enabled || clusterPath === "") {
    throw new AcmeProblem("serverInternal", "ACME feature is disabled", { status: 404 });
  }
  const role = directory.role === "" ? defaultRole(config) : directory.role;
  if (role === null)
    throw new AcmeProblem("serverInternal", "the default directory is closed", { status: 404 });
  if (directory.role !== "" && !allows(config.allowed_roles, directory.role)) {
    throw new AcmeProblem("serverInternal", `role ${directory.role} is not allowed for ACME`, {
      status: 403,
    });
  }
  if (directory.issuerRef !== "" && !allows(config.allowed_issuers, directory.issuerRef)) {
    throw new AcmeProblem("serverInternal", `issuer ${directory.issuerRef} is not allowed for ACME`, {
      status: 403,
    });
  }
  const terms = { issuerRef: directory.issuerRef, role, withRoleUsages: config.allow_role_ext_key_usage };
  const problem = await source.problemOf(terms);
  if (problem !== null) throw new AcmeProblem("serverInternal", problem, { status: 403 });
  return { directory, config, terms, url: `${clusterPath}/${directoryPath(directory)}` };
}

function allows(list: readonly string[], name: string): boolean {
  return list.includes("*") || list.includes(name);
}

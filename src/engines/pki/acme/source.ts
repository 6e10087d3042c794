import type { Certificate } from "../x509/certificate.ts";
import type { Csr } from "../x509/csr.ts";
import type { Identifier } from "./identifiers.ts";

/** How a directory issues, once its configuration was looked at. */
export interface IssuingTerms {
  /** The issuer's reference; empty: the role's, else the default. */
  readonly issuerRef: string;
  /** Empty: what the request says is signed as it is (sign-verbatim), for server authentication. */
  readonly role: string;
  /** Whether extended key usages of the role are put in; else serverAuth alone. */
  readonly withRoleUsages: boolean;
}

/** A certificate that was issued for an order. */
export interface IssuedCertificate {
  /** Hex. */
  readonly serial: string;
  /** PEM, the certificate first, each block with a newline at its end. */
  readonly chain: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** What the protocol needs of the engine around it. */
export interface CertificateSource {
  /** `config/cluster`'s path, without a trailing slash: what the URLs begin with. Empty: none is set. */
  clusterPath(): Promise<string>;
  /** Why nothing can be issued on these terms; null: it can. */
  problemOf(terms: IssuingTerms): Promise<string | null>;
  /** Why the terms do not allow a name; null: they do. */
  refusalOf(terms: IssuingTerms, identifier: Identifier): Promise<string | null>;
  /** Issues for names that were proven. @throws ApiError when terms or issuer refuse. */
  issue(terms: IssuingTerms, csr: Csr, names: readonly Identifier[]): Promise<IssuedCertificate>;
  /**
   * Whether a certificate is one of this mount's, and revoked.
   * @param certificate - As a client sent it.
   */
  statusOf(certificate: Certificate): Promise<"good" | "revoked" | "unknown">;
  revoke(certificate: Certificate): Promise<void>;
}

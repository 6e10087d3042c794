import type { Certificate } from "../x509/certificate.ts";
import { isIssuedBy, isSelfSigned, readCertificate } from "../x509/certificate.ts";
import type { IssuerRecord } from "./record.ts";

interface Link {
  readonly id: string;
  readonly certificate: Certificate;
}

/** Certificates that were read lately, by what they were read from. To read one takes as long as to write one. */
const read = new Map<string, Certificate>();
const READ_MAX = 64;

/** The certificate of an issuer, read. */
export function certificateOf({ certificate: text }: Pick<IssuerRecord, "certificate">): Certificate {
  const known = read.get(text);
  if (known !== undefined) return known;
  const certificate = readCertificate(Buffer.from(text, "base64"));
  for (const oldest of read.keys()) if (read.size >= READ_MAX) read.delete(oldest);
  read.set(text, certificate);
  return certificate;
}

/**
 * Gives each issuer its chain: itself, who issued it, and so on up to the roots. What was cross-signed has several ways up,
 * all of which are in it. A root's chain goes on with the certificates that others have issued for its key.
 */
export function withChains(issuers: readonly IssuerRecord[]): readonly IssuerRecord[] {
  const links: readonly Link[] = issuers.map((issuer) => ({
    id: issuer.id,
    certificate: certificateOf(issuer),
  }));
  return issuers.map((issuer) => {
    const own = links.find(({ id }) => id === issuer.id);
    const found = issuer.manualChain.length > 0 ? issuer.manualChain : chainOf(own, links);
    const isSame = found.join() === issuer.caChain.join();
    return isSame ? issuer : { ...issuer, caChain: found };
  });
}

function chainOf(own: Link | undefined, links: readonly Link[]): readonly string[] {
  if (own === undefined) return [];
  const twins = isSelfSigned(own.certificate) ? links.filter((link) => isCrossSigned(own, link)) : [];
  const chain: Link[] = [own, ...twins];
  // The list grows while it is walked: each one's issuers come after it, nearest first.
  for (const { certificate } of chain) {
    const parents = links.filter(
      (link) => !chain.includes(link) && isIssuedBy(certificate, link.certificate),
    );
    chain.push(...parents);
  }
  return chain.map(({ id }) => id);
}

/** Whether `other` is the same CA, as somebody else has issued it. */
function isCrossSigned(own: Link, other: Link): boolean {
  return (
    other.id !== own.id &&
    other.certificate.subject.equals(own.certificate.subject) &&
    other.certificate.publicKey.equals(own.certificate.publicKey) &&
    !isSelfSigned(other.certificate)
  );
}

import { badRequest } from "../../base/errors.ts";
import { DerError } from "./x509/asn1.ts";
import { type Certificate, checkParts, readCertificate } from "./x509/certificate.ts";
import { pemBlocks } from "./x509/pem.ts";

const CHARS_MAX = 1024 * 1024;

/** Reads a parameter that holds one certificate in PEM. @throws ApiError 400 naming the field. */
export function givenCertificate(field: string, text: string): Certificate {
  const certificates = givenCertificates(field, text);
  const [certificate] = certificates;
  if (certificate === undefined || certificates.length > 1) {
    throw badRequest(`${field} has to be one certificate in PEM`);
  }
  return certificate;
}

/** Reads the certificates in PEM that a parameter holds. @throws ApiError 400 naming the field. */
export function givenCertificates(field: string, text: string): readonly Certificate[] {
  if (text.length > CHARS_MAX) throw badRequest(`${field} is too long`);
  try {
    return pemBlocks(text)
      .filter(({ label }) => label === "CERTIFICATE")
      .map(({ der }) => {
        const certificate = readCertificate(der);
        checkParts(certificate);
        return certificate;
      });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const what = error instanceof DerError ? error.message : "PEM that is not base64";
    throw badRequest(`${field} holds a certificate that cannot be read: ${what}`, error);
  }
}

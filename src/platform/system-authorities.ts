import { existsSync } from "node:fs";

/** Where distributions keep the certificates of the authorities that they trust, as one PEM file. */
const PLACES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** The path of a PEM file with the authorities that this system trusts; undefined where none is known. */
export function systemAuthorities(): string | undefined {
  return PLACES.find((path) => existsSync(path));
}

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { buildCsr } from "../../../../src/engines/pki/x509/csr.ts";
import {
  caConstraints,
  type Extension,
  subjectAltName,
} from "../../../../src/engines/pki/x509/extensions.ts";
import { NO_NAMES } from "../../../../src/engines/pki/x509/general-names.ts";
import { publicKeyDer } from "../../../../src/engines/pki/x509/keys.ts";
import { encodeName, type Subject } from "../../../../src/engines/pki/x509/name.ts";
import { signerFor } from "../../../../src/engines/pki/x509/signature.ts";

export interface CsrWishes {
  readonly key?: KeyObject;
  readonly subject?: Subject;
  readonly ips?: readonly string[];
  readonly emails?: readonly string[];
  readonly asCa?: boolean;
}

export function newCertificateKey(): KeyObject {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }));
}

/** A request for names, as base64url. */
export function csrFor(dns: readonly string[], wishes: CsrWishes = {}): string {
  const key = wishes.key ?? newCertificateKey();
  const names = { ...NO_NAMES, dns, ips: wishes.ips ?? [], emails: wishes.emails ?? [] };
  const extensions: Extension[] = [subjectAltName(names, false)];
  if (wishes.asCa === true) extensions.push(caConstraints(-1));
  const content = { subject: encodeName(wishes.subject ?? {}), publicKey: publicKeyDer(key), extensions };
  return buildCsr(content, signerFor(key)).toString("base64url");
}

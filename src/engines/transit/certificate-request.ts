import { type KeyObject, sign } from "node:crypto";
import forge from "node-forge";
import { badRequest } from "../../base/errors.ts";

const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;

/** Signature algorithms by key (RFC 4055 section 5, RFC 5758 section 3.2, RFC 8410 section 3). */
const ALGORITHMS: Readonly<
  Record<string, { readonly oid: string; readonly hash: string | null; readonly hasNull: boolean }>
> = {
  rsa: { oid: "1.2.840.113549.1.1.11", hash: "sha256", hasNull: true },
  prime256v1: { oid: "1.2.840.10045.4.3.2", hash: "sha256", hasNull: false },
  secp384r1: { oid: "1.2.840.10045.4.3.3", hash: "sha384", hasNull: false },
  secp521r1: { oid: "1.2.840.10045.4.3.4", hash: "sha512", hasNull: false },
  ed25519: { oid: "1.3.101.112", hash: null, hasNull: false },
};

const universal = (type: number, constructed: boolean, value: string | Asn1[]): Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, type, constructed, value);

/**
 * A certificate request (RFC 2986) of a key, signed with it.
 * @param template - In PEM: its subject and attributes are taken over. Empty: a request without a name.
 * @throws ApiError 400 for a template that cannot be read.
 */
export function certificateRequest(privateKey: KeyObject, publicKey: KeyObject, template: string): string {
  const { subject, attributes } = template === "" ? NAMELESS() : readTemplate(template);
  const spki = publicKey.export({ format: "der", type: "spki" });
  const info = universal(asn1.Type.SEQUENCE, true, [
    universal(asn1.Type.INTEGER, false, asn1.integerToDer(0).getBytes()),
    subject,
    asn1.fromDer(spki.toString("latin1")),
    attributes,
  ]);
  const algorithm = algorithmOf(publicKey);
  const signed = sign(algorithm.hash, Buffer.from(asn1.toDer(info).getBytes(), "latin1"), privateKey);
  const identifier = [universal(asn1.Type.OID, false, asn1.oidToDer(algorithm.oid).getBytes())];
  if (algorithm.hasNull) identifier.push(universal(asn1.Type.NULL, false, ""));
  const request = universal(asn1.Type.SEQUENCE, true, [
    info,
    universal(asn1.Type.SEQUENCE, true, identifier),
    universal(asn1.Type.BITSTRING, false, `\0${signed.toString("latin1")}`),
  ]);
  const body = asn1.toDer(request).getBytes();
  return forge.pem.encode({ type: "CERTIFICATE REQUEST", body }).replaceAll("\r\n", "\n");
}

function algorithmOf(key: KeyObject) {
  const name = key.asymmetricKeyType === "ec" ? key.asymmetricKeyDetails?.namedCurve : key.asymmetricKeyType;
  const algorithm = ALGORITHMS[name ?? ""];
  if (algorithm === undefined) throw new TypeError("a key of this kind signs no certificate requests");
  return algorithm;
}

interface Template {
  readonly subject: Asn1;
  readonly attributes: Asn1;
}

const NAMELESS = (): Template => ({
  subject: universal(asn1.Type.SEQUENCE, true, []),
  attributes: asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, []),
});

function readTemplate(pem: string): Template {
  const invalid = badRequest("could not parse CSR: it is not a certificate request in PEM");
  try {
    const [message] = forge.pem.decode(pem);
    if (message === undefined || !message.type.endsWith("CERTIFICATE REQUEST")) throw invalid;
    const info = childrenOf(childrenOf(asn1.fromDer(message.body))[0]);
    const [, subject, , attributes] = info;
    if (subject === undefined) throw invalid;
    return { subject, attributes: attributes ?? NAMELESS().attributes };
  } catch {
    throw invalid;
  }
}

function childrenOf(node: Asn1 | undefined): Asn1[] {
  if (node === undefined || !Array.isArray(node.value)) throw new SyntaxError("not a sequence");
  return node.value;
}

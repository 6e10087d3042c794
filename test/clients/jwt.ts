import { generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";

/** A token for `me`, by the issuer `tests` for the audience `vsec`, good for ten minutes; and the key that proves it, in PEM. */
export async function signedJwt(): Promise<{ readonly publicKey: string; readonly token: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "ES256" })
    .setIssuer("tests")
    .setAudience("vsec")
    .setSubject("me")
    .setIssuedAt()
    .setExpirationTime("10m")
    .sign(privateKey);
  return { publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(), token };
}

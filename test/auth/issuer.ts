/** An issuer of tokens on loopback: a key set and a discovery document over HTTP or HTTPS, with keys made for the run. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";

export type Alg = "RS256" | "ES256" | "EdDSA" | "PS256";

export interface Signer {
  readonly kid: string;
  readonly alg: Alg;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function newSigner(alg: Alg, kid: string): Signer {
  return { kid, alg, ...pairFor(alg) };
}

function pairFor(alg: Alg): { publicKey: KeyObject; privateKey: KeyObject } {
  if (alg === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (alg === "EdDSA") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}

export const pemOf = ({ publicKey }: Signer): string =>
  String(publicKey.export({ type: "spki", format: "pem" }));

export const jwkOf = ({ publicKey, kid, alg }: Signer): Record<string, unknown> => ({
  ...publicKey.export({ format: "jwk" }),
  kid,
  alg,
  use: "sig",
});

/** Signs claims as they are. */
export function sign(signer: Signer, claims: Record<string, unknown>, header: object = {}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: "JWT", ...header })
    .sign(signer.privateKey);
}

export interface Issuer {
  readonly url: string;
  readonly jwksUrl: string;
  /** Replaces the key set. */
  publish(...signers: readonly Signer[]): void;
  /** Answers every request for the key set with this instead. */
  answerWith(answer: (response: ServerResponse) => void): void;
  /** How often the key set was asked for. */
  readonly fetches: number;
  close(): void;
}

export interface IssuerOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
  /** What the discovery document says of itself; its own URL by default. */
  readonly claimedIssuer?: string;
}

export async function startIssuer(options: IssuerOptions = {}): Promise<Issuer> {
  let keys: readonly Signer[] = [];
  let fetches = 0;
  let answer: ((response: ServerResponse) => void) | undefined;
  let url = "";
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === "/.well-known/openid-configuration") {
      response.end(JSON.stringify({ issuer: options.claimedIssuer ?? url, jwks_uri: `${url}/keys` }));
      return;
    }
    fetches += 1;
    if (answer === undefined) response.end(JSON.stringify({ keys: keys.map(jwkOf) }));
    else answer(response);
  };
  const server = options.tls === undefined ? createServer(handle) : createTlsServer(options.tls, handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  url = `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return {
    url,
    jwksUrl: `${url}/keys`,
    publish: (...signers) => {
      keys = signers;
    },
    answerWith: (next) => {
      answer = next;
    },
    get fetches() {
      return fetches;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";
import { initDatabase } from "../e2e/database.ts";
import { World } from "../e2e/world.ts";
import type { PostgresServer } from "../servers/postgres.ts";

/** A CI system that vouches for its jobs, and a store that trusts it: its jobs may issue database users. */
export interface CiWorld {
  readonly world: World;
  /** Signs an identity token for a job, as the CI system does. */
  identityToken(audience: string): Promise<string>;
}

const ISSUER = "https://ci.example";

/** Makes the store; its auth method at `jwt/` has a role `deploy`, which may read database/creds/app and kv/deploy. */
export async function ciWorld(server: PostgresServer): Promise<CiWorld> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const world = new World();
  await initDatabase(world, server);
  await world.ok("secrets enable -version=2 kv");
  await world.ok("kv put kv/deploy key=-", { stdin: "line one\nline two" });
  await world.ok("policy write deploy -", {
    stdin:
      'path "database/creds/app" { capabilities = ["read"] }\npath "kv/data/deploy" { capabilities = ["read"] }',
  });
  await world.ok("auth enable jwt");
  await world.ok(`write auth/jwt/config bound_issuer=${ISSUER} jwt_validation_pubkeys=-`, {
    stdin: publicKey.export({ type: "spki", format: "pem" }).toString(),
  });
  await world.ok(
    "write auth/jwt/role/deploy role_type=jwt bound_audiences=vsec user_claim=sub token_policies=deploy token_ttl=10m",
  );
  const identityToken = (audience: string): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({ alg: "ES256" })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setSubject("repo:example/app:ref:refs/heads/main")
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);
  return { world, identityToken };
}

/** The endpoint at which a GitHub runner gives a job its identity token. */
export interface TokenEndpoint {
  readonly url: string;
  readonly bearer: string;
  close(): void;
}

export async function startTokenEndpoint(ci: Pick<CiWorld, "identityToken">): Promise<TokenEndpoint> {
  const bearer = "runner-request-token";
  const server: Server = createServer((request, response) => {
    if (request.headers.authorization !== `bearer ${bearer}`) {
      response.writeHead(401).end();
      return;
    }
    const audience = new URL(request.url ?? "", "http://runner").searchParams.get("audience") ?? "";
    void ci.identityToken(audience).then((value) => response.end(JSON.stringify({ value })));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/token?api-version=2.0`, bearer, close: () => server.close() };
}

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../src/base/json.ts";
import { CertificateAuthority } from "../servers/certificates.ts";
import { type Issuer, newSigner, pemOf, type Signer, sign, startIssuer } from "./issuer.ts";
import { type AuthWorld, authWorld } from "./world.ts";

const CONFIG = "auth/jwt/config";
const ROLE = "auth/jwt/role/ci";
const LOGIN = "auth/jwt/login";
/** The clock of these worlds stands still here. */
const NOW = 1_700_000_000;
const ISSUER = "https://token.actions.githubusercontent.com";

/** As GitHub Actions makes them, shortened. */
const GITHUB = {
  iss: ISSUER,
  aud: "https://github.com/octo-org",
  sub: "repo:octo-org/octo-repo:environment:prod",
  jti: "example-id",
  repository: "octo-org/octo-repo",
  repository_visibility: "private",
  ref: "refs/heads/main",
  environment: "prod",
  run_attempt: "2",
  iat: NOW,
  nbf: NOW - 300,
  exp: NOW + 900,
};

/** As GitLab makes them, shortened. */
const GITLAB = {
  iss: "https://gitlab.example.com",
  aud: ["https://vsec.example.com", "other"],
  sub: "project_path:my-group/my-project:ref_type:branch:ref:main",
  namespace_path: "my-group",
  project_path: "my-group/my-project",
  user_login: "alice",
  ref_protected: "true",
  groups_direct: ["my-group", "my-group/sub"],
  job: { id: "302", runner: { tags: ["docker"] } },
  iat: NOW,
  nbf: NOW - 5,
  exp: NOW + 3600,
};

const ROLE_GITHUB = {
  role_type: "jwt",
  user_claim: "repository",
  bound_audiences: "https://github.com/octo-org",
  bound_claims: { environment: ["prod", "staging"], ref: "refs/heads/main" },
  claim_mappings: { repository: "repo", run_attempt: "attempt" },
  token_policies: "deploy",
};

let rsa: Signer;
let pss: Signer;
let ec: Signer;
let ed: Signer;
let issuer: Issuer;

beforeAll(async () => {
  rsa = newSigner("RS256", "rsa");
  pss = newSigner("PS256", "pss");
  ec = newSigner("ES256", "ec");
  ed = newSigner("EdDSA", "ed");
  issuer = await startIssuer();
  issuer.publish(rsa, pss, ec, ed);
});

afterAll(() => issuer.close());

async function world(config: JsonObject, role: JsonObject = ROLE_GITHUB): Promise<AuthWorld> {
  const at = await authWorld();
  await at.write("sys/auth/jwt", { type: "jwt" });
  await at.write(CONFIG, config);
  await at.write(ROLE, role);
  return at;
}

const tries = (at: AuthWorld, jwt: string, role = "ci", from: string | null = null) =>
  at.refusal(() => at.login(LOGIN, { role, jwt }, from));

const SIGNATURE = "400 error validating token: error verifying token signature: ";
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a JWT login", () => {
  test("takes a GitHub Actions token", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl, bound_issuer: ISSUER });
    const grant = await at.login(LOGIN, { role: "CI", jwt: await sign(rsa, GITHUB) });
    const metadata = { repo: "octo-org/octo-repo", attempt: "2", role: "ci" };
    expect(grant).toMatchObject({
      displayName: "octo-org/octo-repo",
      alias: { name: "octo-org/octo-repo", metadata },
      metadata,
      policies: ["deploy"],
      groupAliases: [],
    });
  });

  test("takes a GitLab token, with globs, pointers and groups", async () => {
    const at = await world(
      { oidc_discovery_url: issuer.url, bound_issuer: GITLAB.iss, default_role: "ci" },
      {
        role_type: "jwt",
        user_claim: "/job/runner/tags/0",
        user_claim_json_pointer: true,
        bound_audiences: ["https://vsec.example.com"],
        bound_claims_type: "glob",
        bound_claims: { project_path: "my-group/*", "/job/id": "30*", ref_protected: "true" },
        groups_claim: "groups_direct",
        claim_mappings: { "/job/id": "job" },
      },
    );
    const grant = await at.login(LOGIN, { jwt: await sign(ec, GITLAB) });
    expect(grant).toMatchObject({
      displayName: "docker",
      groupAliases: ["my-group", "my-group/sub"],
      metadata: { job: "302", role: "ci" },
    });
    const elsewhere = { ...GITLAB, project_path: "their-group/my-group/x" };
    expect(await tries(at, await sign(ec, elsewhere))).toBe(
      '400 error validating claims: claim "project_path" does not match any associated bound claim values',
    );
  });

  test("takes each kind of signature, from a key set and from PEM", async () => {
    const remote = await world({ jwks_url: issuer.jwksUrl });
    const local = await world({ jwt_validation_pubkeys: [rsa, pss, ec, ed].map(pemOf) });
    for (const signer of [rsa, pss, ec, ed]) {
      const token = await sign(signer, GITHUB);
      expect([await tries(remote, token), await tries(local, token)]).toEqual(["none", "none"]);
    }
  });

  test("is renewed by the role's present terms", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    const grant = await at.login(LOGIN, { role: "ci", jwt: await sign(rsa, GITHUB) });
    await at.write(ROLE, { token_ttl: 77 });
    const backend = await at.backend("auth/jwt/");
    expect(await backend.renewLogin?.(grant.internal)).toEqual({ ...grant, ttlSeconds: 77 });
    await at.call("delete", ROLE);
    expect(await at.refusal(async () => backend.renewLogin?.(grant.internal))).toBe(
      "500 1 error occurred:\n\t* role ci does not exist during renewal\n\n",
    );
  });
});

describe("a forged token is refused:", () => {
  /** Signed with the HMAC of a text, as if that were the key. */
  const hmacSigned = (secret: string, alg = "HS256"): string => {
    const input = `${encode({ alg, typ: "JWT", kid: "rsa" })}.${encode(GITHUB)}`;
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };

  test("one signed with the public key as an HMAC's secret", async () => {
    const at = await world({ jwt_validation_pubkeys: pemOf(rsa) });
    expect(await tries(at, hmacSigned(pemOf(rsa)))).toStartWith(SIGNATURE);
    expect(await tries(at, hmacSigned(pemOf(rsa), "RS256"))).toStartWith(SIGNATURE);
    expect(await tries(at, hmacSigned(pemOf(rsa).trim()))).toStartWith(SIGNATURE);
  });

  test.each(["none", "None", "NONE", "", "constructor", "HS512", "RSA1_5"])(
    "one of algorithm %p",
    async (alg) => {
      const at = await world({ jwks_url: issuer.jwksUrl });
      const input = `${encode({ alg, typ: "JWT" })}.${encode(GITHUB)}`;
      expect(await tries(at, `${input}.`)).toStartWith(SIGNATURE);
      expect(await tries(at, `${input}.AAAA`)).toStartWith(SIGNATURE);
    },
  );

  test("one whose key has the right name and is another", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    expect(await tries(at, await sign(newSigner("RS256", "rsa"), GITHUB))).toStartWith(SIGNATURE);
  });

  test("one whose key is not among those of the issuer", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    expect(await tries(at, await sign({ ...rsa, kid: "unknown" }, GITHUB))).toStartWith(SIGNATURE);
  });

  test("one that brings its key along", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    const own = newSigner("ES256", "own");
    const header = { jwk: own.publicKey.export({ format: "jwk" }), jku: issuer.jwksUrl, kid: "ec" };
    expect(await tries(at, await sign(own, GITHUB, header))).toStartWith(SIGNATURE);
  });

  test("one whose claims were changed", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    const [header, , signature] = (await sign(ec, GITHUB)).split(".");
    const changed = `${header}.${encode({ ...GITHUB, environment: "staging" })}.${signature}`;
    expect(await tries(at, changed)).toStartWith(SIGNATURE);
  });

  test.each(["x", "a.b.c", "..", "a.b.c.d.e", "é.é.é", `${"a".repeat(70_000)}.b.c`])(
    "%.20s, which is no token",
    async (token) => {
      const at = await world({ jwks_url: issuer.jwksUrl });
      expect(await tries(at, token)).toStartWith(SIGNATURE);
    },
  );

  test("one of an algorithm that the configuration does not take, though the signature is good", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl, jwt_supported_algs: "ES256" });
    expect(await tries(at, await sign(rsa, GITHUB))).toBe(
      "400 error validating token: invalid algorithm (alg) header parameter: token signed with unexpected algorithm",
    );
    expect(await tries(at, await sign(ec, GITHUB))).toBe("none");
  });

  test("one with an RSA key that serves another algorithm by its own word", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    expect(await tries(at, await sign({ ...rsa, alg: "PS256" }, GITHUB))).toStartWith(SIGNATURE);
  });
});

describe("the claims of a token are checked:", () => {
  const VALID = "400 error validating token: ";
  const cases: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["another issuer", { iss: "https://evil.example" }, `${VALID}invalid issuer (iss) claim`],
    ["no issuer", { iss: undefined }, `${VALID}invalid issuer (iss) claim`],
    ["another subject", { sub: "x" }, `${VALID}invalid subject (sub) claim`],
    [
      "another audience",
      { aud: ["x"] },
      `${VALID}invalid audience (aud) claim: audience claim does not match any expected audience`,
    ],
    [
      "no audience",
      { aud: undefined },
      `${VALID}invalid audience (aud) claim: audience claim does not match any expected audience`,
    ],
    [
      "no times",
      { iat: undefined, nbf: undefined, exp: undefined },
      `${VALID}no issued at (iat), not before (nbf), or expiration time (exp) claims in token`,
    ],
    ["a start to come", { nbf: NOW + 61 }, `${VALID}invalid not before (nbf) claim: token not yet valid`],
    [
      "an end that is past",
      { exp: NOW - 61 },
      `${VALID}invalid expiration time (exp) claim: token is expired`,
    ],
    [
      "an issue to come",
      { iat: NOW + 61 },
      `${VALID}invalid issued at (iat) claim: token issued in the future`,
    ],
    ["an end that is no number", { exp: "soon" }, `${VALID}claim "exp" is not a numeric date`],
    ["no user", { repository: undefined }, '400 claim "repository" not found in token'],
    ["a user that is no text", { repository: 7 }, '400 claim "repository" could not be converted to string'],
    ["no groups", { groups: undefined }, '400 "groups" claim not found in token'],
    ["a bound claim missing", { ref: undefined }, '400 error validating claims: claim "ref" is missing'],
    [
      "a bound claim of another value",
      { environment: "dev" },
      '400 error validating claims: claim "environment" does not match any associated bound claim values',
    ],
    ["a little skew", { nbf: NOW + 60, iat: NOW + 60, exp: NOW - 60 }, "none"],
    ["one of several values", { environment: ["dev", "staging"] }, "none"],
  ];

  test.each(cases)("%s", async (_name, change, text) => {
    const role = { ...ROLE_GITHUB, bound_subject: GITHUB.sub, groups_claim: "groups" };
    const at = await world({ jwks_url: issuer.jwksUrl, bound_issuer: ISSUER }, role);
    const claims = { ...GITHUB, groups: ["g"], ...change };
    expect(await tries(at, await sign(ec, claims))).toBe(text);
  });

  test("an audience that no role asked for", async () => {
    const { bound_audiences: _none, ...role } = ROLE_GITHUB;
    const at = await world({ jwks_url: issuer.jwksUrl }, role);
    expect(await tries(at, await sign(ec, GITHUB))).toBe(
      "400 audience claim found in JWT but no audiences bound to the role",
    );
  });

  test.each([
    ["without an end is good for the leeway", { exp: undefined, nbf: undefined, iat: NOW - 150 }, {}, "none"],
    ["and the skew, and not longer", { exp: undefined, nbf: undefined, iat: NOW - 211 }, {}, "expired"],
    [
      "without leeway and skew",
      { exp: undefined, nbf: undefined, iat: NOW - 1 },
      { expiration_leeway: -1, clock_skew_leeway: -1 },
      "expired",
    ],
    [
      "without a start begins before its end",
      { exp: NOW + 211, nbf: undefined, iat: undefined },
      {},
      "not yet valid",
    ],
  ])("a token %s", async (_name, change, role, text) => {
    const at = await world({ jwks_url: issuer.jwksUrl }, { ...ROLE_GITHUB, ...role });
    expect(await tries(at, await sign(ec, { ...GITHUB, ...change }))).toContain(text);
  });

  test("a `__proto__` in claims and mappings reaches nothing", async () => {
    const role = { ...ROLE_GITHUB, claim_mappings: { constructor: "b", sub: "__proto__" } };
    const at = await world({ jwks_url: issuer.jwksUrl }, role);
    const payload = JSON.stringify(GITHUB).replace("{", '{"__proto__":{"polluted":"yes"},');
    const { CompactSign } = await import("jose");
    const token = await new CompactSign(Buffer.from(payload))
      .setProtectedHeader({ alg: "ES256", kid: "ec" })
      .sign(ec.privateKey);
    const grant = await at.login(LOGIN, { role: "ci", jwt: token });
    expect(grant.metadata).toEqual({ role: "ci" });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("names that every object inherits are nobody's claims", async () => {
    const role = { ...ROLE_GITHUB, user_claim: "constructor", bound_claims: {} };
    const at = await world({ jwks_url: issuer.jwksUrl }, role);
    expect(await tries(at, await sign(ec, GITHUB))).toBe('400 claim "constructor" not found in token');
    await at.write(ROLE, { user_claim: "sub", bound_claims: { "/job/toString": "x" } });
    expect(await tries(at, await sign(ec, { ...GITHUB, job: {} }))).toBe(
      '400 error validating claims: claim "/job/toString" is missing',
    );
  });

  test("the address, before anything of the token", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl }, { ...ROLE_GITHUB, token_bound_cidrs: "10.0.0.0/8" });
    expect(await tries(at, "x", "ci", "192.0.2.1")).toBe("403 permission denied");
    expect(await tries(at, await sign(ec, GITHUB), "ci", "10.0.0.1")).toBe("none");
  });
});

describe("the request", () => {
  test("is refused in Vault's order and words", async () => {
    const at = await authWorld();
    await at.write("sys/auth/jwt", { type: "jwt" });
    const login = (data: JsonObject) => at.refusal(() => at.write(LOGIN, data));
    expect(await login({})).toBe("400 could not load configuration");
    await at.write(CONFIG, { jwks_url: issuer.jwksUrl });
    await at.write(ROLE, ROLE_GITHUB);
    expect(await login({})).toBe("400 missing role");
    expect(await login({ role: "no" })).toBe('400 role "no" could not be found');
    expect(await login({ role: "../ci" })).toBe('400 role "../ci" could not be found');
    expect(await login({ role: "ci" })).toBe("400 missing token");
  });
});

describe("keys that are fetched", () => {
  test("are fetched again for a key that is new, but not for each token that is wrong", async () => {
    const own = await startIssuer();
    try {
      own.publish(rsa);
      const at = await world({ jwks_url: own.jwksUrl });
      expect(await tries(at, await sign(rsa, GITHUB))).toBe("none");
      own.publish(rsa, ec);
      expect(await tries(at, await sign(ec, GITHUB))).toStartWith(SIGNATURE);
      at.clock.advance(10_000);
      expect(await tries(at, await sign(ec, GITHUB))).toBe("none");
      const before = own.fetches;
      for (let guess = 0; guess < 5; guess += 1)
        await tries(at, await sign({ ...ec, kid: `x${guess}` }, GITHUB));
      expect(own.fetches).toBe(before);
    } finally {
      own.close();
    }
  });

  test("that were withdrawn are of no use any more after five minutes", async () => {
    const own = await startIssuer();
    try {
      own.publish(rsa, ec);
      const at = await world({ jwks_url: own.jwksUrl }, { ...ROLE_GITHUB, clock_skew_leeway: 600 });
      expect(await tries(at, await sign(ec, GITHUB))).toBe("none");
      own.publish(rsa);
      at.clock.advance(300_000);
      expect(await tries(at, await sign(ec, GITHUB))).toStartWith(SIGNATURE);
    } finally {
      own.close();
    }
  });

  test("by several logins at once are fetched once", async () => {
    const own = await startIssuer();
    try {
      own.publish(rsa);
      const at = await world({ jwks_url: own.jwksUrl });
      const before = own.fetches;
      const token = await sign(rsa, GITHUB);
      expect(await Promise.all([tries(at, token), tries(at, token), tries(at, token)])).toEqual([
        "none",
        "none",
        "none",
      ]);
      expect(own.fetches - before).toBe(1);
    } finally {
      own.close();
    }
  });

  test.each([
    ["is too large", "it is larger than 1048576 bytes", (body: string) => body.padEnd(1_048_577), 200],
    ["is not JSON", "it is not JSON", () => "<html>", 200],
    ["is no key set", "it is not a JSON Web Key Set", () => "[]", 200],
    ["is an error", "it answered with status 500", (body: string) => body, 500],
    ["leads elsewhere", "it answered with status 302", (body: string) => body, 302],
  ])("from an answer that %s are refused at once", async (_name, text, body, status) => {
    const own = await startIssuer();
    try {
      own.answerWith((response) => {
        response.writeHead(status, status === 302 ? { location: issuer.jwksUrl } : {});
        response.end(body("{}"));
      });
      const at = await authWorld();
      await at.write("sys/auth/jwt", { type: "jwt" });
      const refusal = await at.refusal(() => at.write(CONFIG, { jwks_url: own.jwksUrl }));
      expect(refusal).toStartWith("400 error checking jwks URL: ");
      expect(refusal).toContain(text);
    } finally {
      own.close();
    }
  });
});

describe("an issuer over TLS", () => {
  let place: string;
  let tls: Issuer;
  let ca: CertificateAuthority;
  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), "vsec-issuer-"));
    ca = new CertificateAuthority(place);
    tls = await startIssuer({ tls: ca.issue("127.0.0.1", "IP:127.0.0.1") });
    tls.publish(ed);
  });
  afterAll(() => {
    tls.close();
    rmSync(place, { recursive: true });
  });

  test("is believed with the certificates that the configuration names", async () => {
    const at = await world({ oidc_discovery_url: tls.url, oidc_discovery_ca_pem: ca.cert });
    expect(await tries(at, await sign(ed, GITHUB))).toBe("none");
    await at.write(CONFIG, { jwks_url: tls.jwksUrl, jwks_ca_pem: ca.cert });
    expect(await tries(at, await sign(ed, GITHUB))).toBe("none");
  });

  test("is not believed without them, nor with another's", async () => {
    const at = await authWorld();
    await at.write("sys/auth/jwt", { type: "jwt" });
    const other = new CertificateAuthority(place, "another CA").cert;
    for (const jwks_ca_pem of ["", other]) {
      expect(await at.refusal(() => at.write(CONFIG, { jwks_url: tls.jwksUrl, jwks_ca_pem }))).toStartWith(
        "400 error checking jwks URL: ",
      );
    }
  });
});

describe("the configuration", () => {
  async function refused(config: JsonObject): Promise<string> {
    const at = await authWorld();
    await at.write("sys/auth/jwt", { type: "jwt" });
    return at.refusal(() => at.write(CONFIG, config));
  }
  const ONE =
    "400 exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or 'provider_config' must be set";

  test("has exactly one source of keys, which is there", async () => {
    expect(await refused({})).toBe(ONE);
    expect(await refused({ jwks_url: issuer.jwksUrl, oidc_discovery_url: issuer.url })).toBe(ONE);
    expect(await refused({ jwks_url: "file:///etc/passwd" })).toStartWith("400 error checking jwks URL: ");
    expect(await refused({ oidc_discovery_url: "http://127.0.0.1:1" })).toStartWith(
      "400 error checking oidc discovery URL: ",
    );
    expect(await refused({ oidc_discovery_url: `${issuer.url}/` })).toContain("another issuer");
    expect(await refused({ jwt_validation_pubkeys: "x" })).toBe(
      "400 error parsing public key: data does not contain any valid public keys",
    );
    const secret = String(rsa.privateKey.export({ type: "pkcs8", format: "pem" }));
    expect(await refused({ jwt_validation_pubkeys: secret })).toStartWith("400 error parsing public key: ");
    expect(await refused({ jwks_url: issuer.jwksUrl, jwt_supported_algs: "HS256" })).toBe(
      '400 unsupported signing algorithm "HS256"',
    );
    expect(await refused({ jwks_url: issuer.jwksUrl, oidc_client_id: "x" })).toStartWith(
      "400 oidc_client_id: ",
    );
  });

  test("is shown whole, and replaced whole", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl, default_role: "CI", jwt_supported_algs: ["ES256"] });
    await at.write(CONFIG, { jwt_validation_pubkeys: pemOf(ed) });
    expect(await at.read(CONFIG)).toEqual({
      bound_issuer: "",
      default_role: "",
      jwks_ca_pem: "",
      jwks_url: "",
      jwt_supported_algs: [],
      jwt_validation_pubkeys: [pemOf(ed).trim()],
      namespace_in_state: false,
      oidc_client_id: "",
      oidc_discovery_ca_pem: "",
      oidc_discovery_url: "",
      oidc_response_mode: "",
      oidc_response_types: [],
      provider_config: {},
    });
  });
});

describe("a JWT role", () => {
  test.each([
    [{ role_type: "jwt" }, "a user claim must be defined on the role"],
    [
      { role_type: "jwt", user_claim: "sub" },
      "must have at least one bound constraint when creating/updating a role",
    ],
    [{ role_type: "odd" }, "invalid 'role_type': odd"],
    [{ user_claim: "sub" }, "'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified."],
    [
      { role_type: "oidc", allowed_redirect_uris: "http://x" },
      "vsec has no browser logins; set 'role_type' to 'jwt'",
    ],
    [{ ...ROLE_GITHUB, bound_claims_type: "odd" }, "invalid 'bound_claims_type': odd"],
    [
      { ...ROLE_GITHUB, bound_claims: { a: { b: 1 } } },
      'bound claim "a" is neither a value nor a list of values',
    ],
    [
      { ...ROLE_GITHUB, claim_mappings: { a: "role" } },
      'metadata key "role" is reserved and may not be a mapping destination',
    ],
    [{ ...ROLE_GITHUB, claim_mappings: { a: "x", b: "x" } }, 'multiple keys are mapped to metadata key "x"'],
  ])("%j is refused", async (role, text) => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    expect(await at.refusal(() => at.write("auth/jwt/role/new", role as JsonObject))).toBe(`400 ${text}`);
  });

  test("keeps what an update is not given", async () => {
    const at = await world({ jwks_url: issuer.jwksUrl });
    await at.write(ROLE, { token_ttl: 5 });
    expect(await at.read(ROLE)).toMatchObject({
      role_type: "jwt",
      bound_claims: ROLE_GITHUB.bound_claims,
      claim_mappings: ROLE_GITHUB.claim_mappings,
      clock_skew_leeway: 60,
      expiration_leeway: 150,
      token_ttl: 5,
      token_policies: ["deploy"],
    });
    expect((await at.call("list", "auth/jwt/role/"))?.data).toEqual({ keys: ["ci"] });
  });
});

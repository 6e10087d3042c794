import { VsecError } from "../../base/errors.ts";
import { isJsonObject } from "../../base/json.ts";
import type { AuthContext } from "../../framework/auth.ts";
import type { KeySource } from "./config.ts";
import { fetchJson, webUrl } from "./fetch-json.ts";
import { keyOfPem, keysOfSet, type VerificationKey } from "./keys.ts";

/** Fetched keys are used this long. */
const FRESH_MS = 300_000;
/** A token with a key that is not known makes the keys be fetched again, at most this often. */
const AGAIN_MS = 10_000;

interface Fetched {
  readonly source: string;
  readonly keys: readonly VerificationKey[];
  readonly fetchedAt: number;
}

/** The keys of one mount's configuration. Fetched ones are kept in memory for a while. */
export class KeyCache {
  readonly #context: Pick<AuthContext, "clock">;
  #fetched: Fetched | undefined;
  #fetching: { readonly source: string; readonly keys: Promise<Fetched> } | undefined;

  constructor(context: Pick<AuthContext, "clock">) {
    this.#context = context;
  }

  /** @throws BACKEND when they cannot be fetched. */
  async keys(source: KeySource): Promise<readonly VerificationKey[]> {
    if (source.kind === "pem") return source.pems.map(keyOfPem);
    return (await this.#have(source, FRESH_MS)).keys;
  }

  /** The keys as they are now, for a token that none of the known ones verifies. Null: they were fetched only just now. */
  async newerKeys(source: KeySource): Promise<readonly VerificationKey[] | null> {
    if (source.kind === "pem") return null;
    const before = this.#fetched;
    const after = await this.#have(source, AGAIN_MS);
    return after === before ? null : after.keys;
  }

  #have(source: Exclude<KeySource, { kind: "pem" }>, ageMsMax: number): Promise<Fetched> {
    const id = JSON.stringify(source);
    const now = this.#context.clock.now();
    const known = this.#fetched;
    const age = known?.source === id ? Math.abs(now - known.fetchedAt) : Number.POSITIVE_INFINITY;
    if (known !== undefined && age < ageMsMax) return Promise.resolve(known);
    // One fetch at a time serves all who wait for it.
    if (this.#fetching?.source === id) return this.#fetching.keys;
    const keys = fetchKeys(source)
      .then((found) => {
        this.#fetched = { source: id, keys: found, fetchedAt: now };
        return this.#fetched;
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    this.#fetching = { source: id, keys };
    return keys;
  }
}

/** Fetches the keys. @throws BACKEND when they cannot be had. */
export async function fetchKeys(
  source: Exclude<KeySource, { kind: "pem" }>,
): Promise<readonly VerificationKey[]> {
  const url = source.kind === "jwks" ? source.url : await discoverKeysUrl(source.url, source.caPem);
  return keysOfSet(await fetchJson(url, source.caPem));
}

/**
 * Asks an issuer where its keys are.
 * @see OpenID Connect Discovery 1.0 sections 4.1 and 4.3: the document's issuer is the one that was asked, to the letter.
 */
async function discoverKeysUrl(issuer: string, caPem: string): Promise<string> {
  const document = await fetchJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, caPem);
  if (!isJsonObject(document)) throw new VsecError("BACKEND", "the discovery document is not an object");
  if (document.issuer !== issuer) {
    throw new VsecError("BACKEND", `the discovery document is of another issuer than ${issuer}`);
  }
  const url = typeof document.jwks_uri === "string" ? webUrl(document.jwks_uri) : null;
  if (url === null) throw new VsecError("BACKEND", "the discovery document has no jwks_uri");
  if (issuer.startsWith("https:") && url.protocol !== "https:") {
    throw new VsecError("BACKEND", "the discovery document's jwks_uri is not https");
  }
  return url.href;
}

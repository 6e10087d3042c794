import { createPrivateKey, type KeyObject } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { calculateJwkThumbprint, exportJWK, FlattenedSign, generateKeyPair, type JWK } from "jose";
import type { JsonObject } from "../../../../src/base/json.ts";
import type { ApiResponse } from "../../../../src/contract/wire.ts";
import { CoreWorld } from "../../../core/world.ts";
import { mustWork } from "../../kv/world.ts";

export const CLUSTER = "https://ca.test/v1/pki";

/** A core with a root at `pki/`, a role `web` for what is below example.test, and ACME enabled. */
export async function acmeWorld(config: JsonObject = {}): Promise<CoreWorld> {
  const world = await CoreWorld.create();
  await mustWork(
    world.put("sys/mounts/pki", {
      type: "pki",
      config: { allowed_response_headers: ["Replay-Nonce", "Link", "Location"], max_lease_ttl: "87600h" },
    }),
  );
  await mustWork(
    world.put("pki/root/generate/internal", { common_name: "Root", ttl: "87600h", key_type: "ec" }),
  );
  const web = { allowed_domains: "example.test", allow_subdomains: true, key_type: "any", max_ttl: "72h" };
  await mustWork(world.put("pki/roles/web", web));
  await mustWork(world.put("pki/config/cluster", { path: CLUSTER, aia_path: CLUSTER }));
  await mustWork(world.put("pki/config/acme", { enabled: true, ...config }));
  return world;
}

export interface Answer {
  readonly status: number;
  /** The body, parsed where it is JSON. */
  readonly body: JsonObject;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function answerOf({ status, body, headers = {} }: ApiResponse): Answer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const parsed: unknown = typeof body === "string" && body.startsWith("{") ? JSON.parse(body) : body;
  return { status, body: (parsed ?? {}) as JsonObject, text, headers };
}

/** What of a request a test may have otherwise than it should be. */
export interface Tampering {
  readonly nonce?: string;
  readonly url?: string;
  readonly header?: JsonObject;
  readonly key?: CryptoKey;
  readonly body?: JsonObject;
}

/** An ACME client that does as it is told, also what no client should. */
export class TestClient {
  readonly world: CoreWorld;
  readonly base: string;
  key: CryptoKey;
  jwk: JWK;
  kid = "";

  private constructor(world: CoreWorld, base: string, key: CryptoKey, jwk: JWK) {
    this.world = world;
    this.base = base;
    this.key = key;
    this.jwk = jwk;
  }

  /** @param directory - Below the mount: `acme`, `roles/web/acme`. */
  static async create(world: CoreWorld, directory = "acme"): Promise<TestClient> {
    const { privateKey, jwk } = await newKey();
    return new TestClient(world, `${CLUSTER}/${directory}`, privateKey, jwk);
  }

  async nonce(): Promise<string> {
    const path = this.base.replace("https://ca.test/v1/", "");
    const { headers } = answerOf(
      await this.world.send("GET", `${path}/new-nonce`, { token: "", isHead: true }),
    );
    return headers["Replay-Nonce"] ?? "";
  }

  /** Signs and sends. @param target - A URL, or what follows the directory's. */
  async post(target: string, payload: JsonObject | "", tampering: Tampering = {}): Promise<Answer> {
    const url = target.startsWith("https://") ? target : `${this.base}/${target}`;
    const identity = this.kid === "" ? { jwk: this.jwk } : { kid: this.kid };
    const header = {
      alg: "ES256",
      nonce: tampering.nonce ?? (await this.nonce()),
      url: tampering.url ?? url,
      ...identity,
      ...tampering.header,
    };
    const body = { ...(await sign(payload, header, tampering.key ?? this.key)), ...tampering.body };
    const path = url.replace("https://ca.test/v1/", "");
    return answerOf(await this.world.send("PUT", path, { token: "", body: body as unknown as JsonObject }));
  }

  async register(payload: JsonObject = { termsOfServiceAgreed: true }): Promise<Answer> {
    const answer = await this.post("new-account", payload);
    this.kid = answer.headers.Location ?? "";
    return answer;
  }

  async order(...names: readonly string[]): Promise<Answer> {
    return this.post("new-order", { identifiers: names.map((value) => ({ type: "dns", value })) });
  }

  async thumbprint(): Promise<string> {
    return calculateJwkThumbprint(this.jwk, "sha256");
  }
}

export async function newKey(): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  return { privateKey, jwk: await exportJWK(publicKey) };
}

export async function sign(
  payload: JsonObject | "",
  header: object,
  key: CryptoKey | KeyObject | Uint8Array,
) {
  const bytes = new TextEncoder().encode(payload === "" ? "" : JSON.stringify(payload));
  return new FlattenedSign(bytes).setProtectedHeader(header as { alg: string }).sign(key);
}

/** The private key as node:crypto has it. */
export async function nodeKey(key: CryptoKey): Promise<KeyObject> {
  return createPrivateKey({ key: { ...(await exportJWK(key)) }, format: "jwk" });
}

/** A web server on a free port of this machine, which answers challenges by their path. */
export class ChallengeServer {
  readonly answers = new Map<string, { status?: number; body?: string; location?: string }>();
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      const url = request.url ?? "";
      this.asked.push(`${request.headers.host} ${url}`);
      const { status = 200, body = "", location } = this.answers.get(url) ?? { status: 404 };
      response.writeHead(status, location === undefined ? {} : { location }).end(body);
    });
  }

  static async open(host = "127.0.0.1", port = 0): Promise<ChallengeServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    return new ChallengeServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A store with policies, tokens and auth methods, asked as any transport asks: through the whole of a request's way. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { ApiRequest, ApiResponse, Method } from "../../src/contract/wire.ts";
import { CoreWorld, dataOf, errorOf } from "../core/world.ts";
import { temporaryDirectory } from "../servers/process.ts";

type Rest = Partial<Omit<ApiRequest, "method" | "path" | "token">>;

export interface Wrapped {
  readonly token: string;
  readonly accessor: string;
}

export class AccessWorld {
  readonly inner: CoreWorld;
  #directory: ReturnType<typeof temporaryDirectory> | undefined;

  private constructor(inner: CoreWorld) {
    this.inner = inner;
  }

  static async create(): Promise<AccessWorld> {
    return new AccessWorld(await CoreWorld.create());
  }

  /** As root. @throws TypeError when it is refused. */
  async write(path: string, body: Json = {}): Promise<JsonObject> {
    const response = await this.inner.put(path, body);
    if (response.status >= 300) throw new TypeError(`PUT ${path}: ${response.status} ${errorOf(response)}`);
    return dataOf(response);
  }

  /** Makes a policy of its rules: `{ "tiny/note/*": ["read"] }`, or of its text. */
  async policy(name: string, rules: string | Readonly<Record<string, readonly string[]>>): Promise<void> {
    const paths = Object.entries(rules).map(([path, capabilities]) => [path, { capabilities }]);
    const policy = typeof rules === "string" ? rules : JSON.stringify({ path: Object.fromEntries(paths) });
    await this.write(`sys/policies/acl/${name}`, { policy });
  }

  /** A token of root's that holds these policies. */
  async token(policies: readonly string[], more: JsonObject = {}): Promise<string> {
    return tokenIn(await this.inner.put("auth/token/create", { policies, ...more }));
  }

  /** A token that may do these things and nothing else. */
  async tokenFor(rules: string | Readonly<Record<string, readonly string[]>>): Promise<string> {
    const name = `rules-${crypto.randomUUID()}`;
    await this.policy(name, rules);
    return this.token([name], { no_default_policy: true });
  }

  as(token: string, method: Method, path: string, rest: Rest = {}): Promise<ApiResponse> {
    return this.inner.core.handle({ method, path, token, ...rest });
  }

  /** What a request is answered with: `403 permission denied`, `200`. */
  async outcome(token: string, method: Method, path: string, rest: Rest = {}): Promise<string> {
    const response = await this.as(token, method, path, rest);
    const text = errorOf(response).replace(/^\d+ errors? occurred:\n\t\* /, "");
    return `${response.status} ${text.split("\n")[0] ?? ""}`.trim();
  }

  /** Wraps what a request of root's is answered with. */
  async wrap(path = "tiny/key/wrapped", wrapTtlSeconds = 60): Promise<Wrapped> {
    const { body } = await this.inner.send("GET", path, { wrapTtlSeconds });
    return (body as unknown as { wrap_info: Wrapped }).wrap_info;
  }

  /** Enables userpass with one user. @returns The mount's accessor. */
  async userpass(username: string, password: string, more: JsonObject = {}): Promise<string> {
    await this.inner.put("sys/auth/userpass", { type: "userpass" });
    await this.write(`auth/userpass/users/${username}`, { password, ...more });
    const listed = dataOf(await this.inner.get("sys/auth"));
    return String((listed["userpass/"] as JsonObject | undefined)?.accessor);
  }

  async login(username: string, password: string): Promise<{ token: string; entityId: string }> {
    const path = `auth/userpass/login/${username}`;
    const response = await this.as("", "PUT", path, { body: { password } });
    return { token: tokenIn(response), entityId: String(authOf(response).entity_id) };
  }

  /** Enables a file device. @returns The file's path. */
  async audit(options: JsonObject = {}): Promise<string> {
    this.#directory ??= temporaryDirectory("vsec-access-");
    const file = join(this.#directory.path, "audit.log");
    await this.write("sys/audit/file", { type: "file", options: { file_path: file, ...options } });
    return file;
  }

  auditText(): string {
    const file = join(this.#directory?.path ?? "", "audit.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** The records that the file device has written. */
  auditRecords(): readonly JsonObject[] {
    return this.auditText()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JsonObject);
  }

  /** All that the store holds, decrypted: keys and values. */
  async plainStore(): Promise<string> {
    const { entries } = await this.inner.barrier.scan("", { limit: 10_000 });
    return entries.map(({ key, value }) => `${key}=${Buffer.from(value).toString("utf8")}`).join("\n");
  }

  /** All that was logged. */
  logText(): string {
    return this.inner.logged.map(({ message, fields }) => `${message} ${JSON.stringify(fields)}`).join("\n");
  }

  async close(): Promise<void> {
    await this.inner.core.close();
    this.#directory?.remove();
  }
}

export function authOf({ body }: ApiResponse): JsonObject {
  return (body as { auth?: JsonObject } | null)?.auth ?? {};
}

function tokenIn(response: ApiResponse): string {
  const { client_token } = authOf(response);
  if (typeof client_token !== "string") throw new TypeError(`no token: ${errorOf(response)}`);
  return client_token;
}

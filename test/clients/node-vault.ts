/** node-vault, Vault's client for Node, whose calls are remembered. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import nodeVault from "node-vault";
import type { Json, JsonObject } from "../../src/base/json.ts";

const PACKAGE = join(import.meta.dir, "../../node_modules/node-vault/package.json");

/** An answer's body: `auth`, `data` and so on. Objects where the API answers with objects. */
export type Body = JsonObject & { readonly auth: JsonObject; readonly data: JsonObject };

/** What a client keeps of each call: where it goes, and what it says is in the answer. */
interface Call {
  readonly method: string;
  readonly path: string;
  readonly schema?: { readonly res?: { readonly required?: readonly string[] } };
}

type Method = (args?: Readonly<Record<string, unknown>>) => Promise<Body>;

/** One session with a daemon: several clients, and what they were all asked. */
export class NodeVaultSession {
  readonly #url: string;
  readonly #passed = new Set<string>();

  constructor(url: string) {
    this.#url = url;
  }

  /** The version that is installed. */
  static get version(): string {
    const { version } = JSON.parse(readFileSync(PACKAGE, "utf8")) as { readonly version: string };
    return version;
  }

  /** The calls that were answered as the client says they are. */
  get passed(): ReadonlySet<string> {
    return this.#passed;
  }

  /** Every call that the client has, beside reading, writing and the like by path. */
  static get calls(): Readonly<Record<string, Call>> {
    return (nodeVault() as unknown as { readonly commands: Readonly<Record<string, Call>> }).commands;
  }

  client(token = ""): RememberedClient {
    return new RememberedClient(this.#url, token, this.#passed);
  }
}

export class RememberedClient {
  readonly #client: ReturnType<typeof nodeVault>;
  readonly #passed: Set<string>;

  constructor(url: string, token: string, passed: Set<string>) {
    this.#client = nodeVault({ endpoint: url, token });
    this.#passed = passed;
  }

  get token(): string {
    return this.#client.token;
  }

  set token(token: string) {
    this.#client.token = token;
  }

  /** Makes a call. @throws what the client throws; an Error when the answer lacks what the client says it has. */
  async call(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Body> {
    const method = (this.#client as unknown as Readonly<Record<string, Method>>)[name];
    if (method === undefined) throw new Error(`node-vault has no call ${name}`);
    const body = await method(args);
    const required = NodeVaultSession.calls[name]?.schema?.res?.required ?? [];
    const missing = required.filter((key) => body[key] === undefined);
    if (missing.length > 0) throw new Error(`${name}: the answer has no ${missing.join(", ")}`);
    this.#passed.add(name);
    return body;
  }

  read(path: string): Promise<Body> {
    return this.#byPath("read", this.#client.read(path));
  }

  list(path: string): Promise<Body> {
    return this.#byPath("list", this.#client.list(path));
  }

  delete(path: string): Promise<Body> {
    return this.#byPath("delete", this.#client.delete(path));
  }

  help(path: string): Promise<Body> {
    return this.#byPath("help", this.#client.help(path));
  }

  /** @param headers - Such as the one that has the answer wrapped. */
  write(path: string, data: Json, headers: Readonly<Record<string, string>> = {}): Promise<Body> {
    return this.#byPath("write", this.#client.write(path, data, { headers }));
  }

  /** A merge patch. */
  update(path: string, data: JsonObject): Promise<Body> {
    const { update } = this.#client as unknown as {
      readonly update: (path: string, data: JsonObject) => Promise<Body>;
    };
    return this.#byPath("update", update(path, data));
  }

  async #byPath(name: string, answer: Promise<Body>): Promise<Body> {
    const body = await answer;
    this.#passed.add(name);
    return body;
  }
}

import type { JsonObject } from "../../../src/base/json.ts";
import type { ApiResponse } from "../../../src/contract/wire.ts";
import { CoreWorld, dataOf, errorOf } from "../../core/world.ts";

/** A core with a transit mount at `transit/`. */
export class TransitWorld {
  readonly core: CoreWorld;

  private constructor(core: CoreWorld) {
    this.core = core;
  }

  static async create(): Promise<TransitWorld> {
    const core = await CoreWorld.create();
    const world = new TransitWorld(core);
    must(await core.put("sys/mounts/transit", { type: "transit" }));
    return world;
  }

  /** Writes below the mount, and returns the data of the answer. @throws TypeError for a refusal. */
  async write(path: string, body: JsonObject = {}): Promise<JsonObject> {
    return dataOf(must(await this.core.put(`transit/${path}`, body)));
  }

  async read(path: string, query: JsonObject = {}): Promise<JsonObject> {
    return dataOf(must(await this.core.get(`transit/${path}`, query)));
  }

  async remove(path: string): Promise<void> {
    must(await this.core.send("DELETE", `transit/${path}`));
  }

  /** The status and text with which a write is refused. */
  async refusal(path: string, body: JsonObject = {}): Promise<readonly [number, string]> {
    const answer = await this.core.put(`transit/${path}`, body);
    return [answer.status, errorOf(answer)];
  }

  async readRefusal(path: string, query: JsonObject = {}): Promise<readonly [number, string]> {
    const answer = await this.core.get(`transit/${path}`, query);
    return [answer.status, errorOf(answer)];
  }

  /** Encrypts text, and returns the ciphertext. */
  async encrypt(key: string, text: string, more: JsonObject = {}): Promise<string> {
    return String((await this.write(`encrypt/${key}`, { plaintext: base64(text), ...more })).ciphertext);
  }

  async decrypt(key: string, ciphertext: string, more: JsonObject = {}): Promise<string> {
    const { plaintext } = await this.write(`decrypt/${key}`, { ciphertext, ...more });
    return Buffer.from(String(plaintext), "base64").toString();
  }

  /** The key itself, of its latest version; makes it exportable. */
  async exported(kind: string, key: string, query: JsonObject = {}): Promise<string> {
    await this.write(`keys/${key}/config`, { exportable: true });
    const { keys } = await this.read(`export/${kind}/${key}/latest`, query);
    return String(Object.values(keys as JsonObject)[0]);
  }
}

export function base64(text: string | Uint8Array): string {
  return Buffer.from(text).toString("base64");
}

export function must(answer: ApiResponse): ApiResponse {
  if (answer.status >= 400) throw new TypeError(`refused: ${JSON.stringify(answer)}`);
  return answer;
}

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../../src/base/json.ts";
import { CoreWorld, dataOf, errorOf } from "../../core/world.ts";
import { temporaryDirectory } from "../../servers/process.ts";

/** A core with an ssh mount at `ssh/`, and a directory for keys. */
export class SshWorld {
  readonly core: CoreWorld;
  readonly directory = temporaryDirectory("vsec-ssh-");

  private constructor(core: CoreWorld) {
    this.core = core;
  }

  static async create(): Promise<SshWorld> {
    const core = await CoreWorld.create();
    await core.put("sys/mounts/ssh", { type: "ssh" });
    return new SshWorld(core);
  }

  /** Writes below the mount. @throws TypeError for a refusal. */
  async write(path: string, body: JsonObject = {}): Promise<JsonObject> {
    const answer = await this.core.put(`ssh/${path}`, body);
    if (answer.status >= 400) throw new TypeError(`refused: ${JSON.stringify(answer)}`);
    return dataOf(answer);
  }

  async refusal(path: string, body: JsonObject = {}): Promise<readonly [number, string]> {
    const answer = await this.core.put(`ssh/${path}`, body);
    return [answer.status, errorOf(answer)];
  }

  path(name: string): string {
    return join(this.directory.path, name);
  }

  /** Makes a key with ssh-keygen. @returns Its public line; the private key is the file of this name. */
  keygen(name: string, ...options: readonly string[]): string {
    execFileSync("ssh-keygen", ["-q", "-N", "", "-C", "a comment", "-f", this.path(name), ...options]);
    return readFileSync(this.path(`${name}.pub`), "utf8");
  }

  /** What ssh-keygen says of a certificate, a value for each of its lines. */
  show(signedKey: unknown): Readonly<Record<string, string>> {
    const file = this.path("shown-cert.pub");
    writeFileSync(file, String(signedKey));
    const text = execFileSync("ssh-keygen", ["-L", "-f", file], {
      env: { ...process.env, TZ: "UTC" },
    }).toString();
    const values: Record<string, string> = {};
    let name = "";
    for (const line of text.split("\n").slice(1)) {
      const match = /^ {8}(\S[^:]*): ?(.*)$/.exec(line);
      if (match === null) values[name] = `${values[name] ?? ""} ${line.trim()}`.trim();
      else {
        name = match[1] ?? "";
        values[name] = (match[2] ?? "").trim();
      }
    }
    return values;
  }
}

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../../src/base/json.ts";
import { CoreWorld, dataOf, errorOf } from "../../core/world.ts";
import { ZLINT } from "../../servers/zlint.ts";

/** Ten years, which a root of a mount may have once it is tuned. */
export const YEARS_SECONDS = 87_600 * 3600;

/** A core with a pki mount at `pki/`, and what other programs say of its certificates. */
export class PkiWorld {
  readonly world: CoreWorld;
  readonly #folder = mkdtempSync(join(tmpdir(), "vsec-pki-"));
  #files = 0;

  private constructor(world: CoreWorld) {
    this.world = world;
  }

  static async create(): Promise<PkiWorld> {
    const world = await CoreWorld.create();
    // Other programs go by the time that it is.
    world.advance(Math.floor((Date.now() - world.now) / 1000));
    const pki = new PkiWorld(world);
    await pki.mount("pki");
    return pki;
  }

  async mount(name: string): Promise<void> {
    await this.must(`sys/mounts/${name}`, { type: "pki", config: { max_lease_ttl: "87600h" } });
  }

  /** Writes, and answers the data. @throws TypeError for a refusal. */
  async must(path: string, body: JsonObject = {}): Promise<JsonObject> {
    const response = await this.world.put(path, body);
    if (response.status >= 400) throw new TypeError(`${path} was refused: ${JSON.stringify(response.body)}`);
    return dataOf(response);
  }

  /** Writes, and answers the text of the refusal; empty: it was taken. */
  async refused(path: string, body: JsonObject = {}): Promise<string> {
    return errorOf(await this.world.put(path, body));
  }

  async read(path: string): Promise<JsonObject> {
    return dataOf(await this.world.get(path));
  }

  /** A published thing as it goes over the wire. */
  async raw(path: string): Promise<{ status: number; type: string | undefined; bytes: Buffer }> {
    const { status, contentType, bytes, body } = await this.world.core.handle({ method: "GET", path });
    const text = typeof body === "string" ? body : "";
    return { status, type: contentType, bytes: Buffer.from(bytes ?? Buffer.from(text)) };
  }

  /** A root that is the default issuer, and a role that allows everything. */
  async root(keyType = "ec", options: JsonObject = {}): Promise<JsonObject> {
    return this.must("pki/root/generate/internal", {
      common_name: "Root of the tests",
      ttl: YEARS_SECONDS,
      key_type: keyType,
      ...options,
    });
  }

  role(name: string, options: JsonObject = {}): Promise<JsonObject> {
    return this.must(`pki/roles/${name}`, {
      allow_any_name: true,
      key_type: "ec",
      max_ttl: "720h",
      ...options,
    });
  }

  /** A file with a text. */
  file(text: string | Uint8Array): string {
    this.#files += 1;
    const path = join(this.#folder, `${this.#files}.pem`);
    writeFileSync(path, typeof text === "string" && !text.endsWith("\n") ? `${text}\n` : text);
    return path;
  }

  /** What `openssl` prints, on both streams, and whether it was content. */
  openssl(...args: readonly string[]): { ok: boolean; text: string } {
    return run("openssl", args);
  }

  /** What GnuTLS's `certtool` prints. */
  certtool(...args: readonly string[]): { ok: boolean; text: string } {
    return run("certtool", args);
  }

  /** What `zlint` finds, as JSON. */
  zlint(...args: readonly string[]): string {
    return run(ZLINT, args).text;
  }

  /** Whether openssl trusts a certificate at the time of the world's clock. Empty: it does; else why not. */
  distrust(
    certificate: string,
    roots: string,
    between: readonly string[] = [],
    ...more: readonly string[]
  ): string {
    const { ok, text } = this.openssl(
      ...["verify", "-x509_strict", "-attime", String(Math.floor(this.world.now / 1000))],
      ...["-CAfile", this.file(roots)],
      ...(between.length === 0 ? [] : ["-untrusted", this.file(between.join("\n"))]),
      ...more,
      this.file(certificate),
    );
    return ok ? "" : text;
  }

  /** A certificate as `openssl x509 -text` shows it. */
  text(certificate: string): string {
    return this.openssl("x509", "-noout", "-text", "-in", this.file(certificate)).text;
  }

  /** A request that openssl makes, for a new key, and that key. */
  csr(subject: string, ...options: readonly string[]): { csr: string; keyFile: string } {
    const keyFile = this.file("");
    const { ok, text } = this.openssl(
      ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", keyFile, "-subj", subject, ...options],
    );
    if (!ok) throw new TypeError(text);
    return { csr: text.slice(text.indexOf("-----BEGIN CERTIFICATE REQUEST")), keyFile };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[]): { ok: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { ok: status === 0, text: `${stdout}${stderr}` };
}

/** Whether a program is there. */
export function has(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}

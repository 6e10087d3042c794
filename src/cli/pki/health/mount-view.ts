import { X509Certificate } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import type { ApiResponse } from "../../../contract/wire.ts";
import { dataOf } from "../../answers.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure } from "../../failure.ts";
import type { Finding } from "./finding.ts";

/** What a read brought. `absent`: there is nothing there; `denied`: the token may not; `unknown`: this version has no such path. */
export type Fetched =
  | { readonly kind: "found"; readonly data: JsonObject }
  | { readonly kind: "absent" }
  | { readonly kind: "denied" }
  | { readonly kind: "unknown" };

/** A mount as the checks see it: each path is read once, and a refusal is an answer like others. */
export class MountView {
  /** Without slashes at its ends. */
  readonly mount: string;
  readonly now: number;
  readonly #context: CommandContext;
  readonly #fetched = new Map<string, Promise<Fetched>>();

  constructor(context: CommandContext, mount: string) {
    this.#context = context;
    this.mount = mount;
    this.now = context.world.clock.now();
  }

  /** A path below the mount, as findings name it. */
  endpoint(path: string): string {
    return `/${this.mount}/${path}`;
  }

  read(path: string): Promise<Fetched> {
    return this.#fetch("GET", `${this.mount}/${path}`);
  }

  tuning(): Promise<Fetched> {
    return this.#fetch("GET", `sys/mounts/${this.mount}/tune`);
  }

  /** The keys below a path; nothing there is an empty list. */
  async list(path: string): Promise<{ readonly fetched: Fetched; readonly keys: readonly string[] }> {
    const fetched = await this.#fetch("LIST", `${this.mount}/${path}`);
    const { keys } = fetched.kind === "found" ? fetched.data : { keys: [] };
    return { fetched, keys: Array.isArray(keys) ? keys.map(String) : [] };
  }

  #fetch(method: "GET" | "LIST", path: string): Promise<Fetched> {
    const key = `${method} ${path}`;
    let fetched = this.#fetched.get(key);
    if (fetched === undefined) {
      fetched = this.#send(method, path);
      this.#fetched.set(key, fetched);
    }
    return fetched;
  }

  async #send(method: "GET" | "LIST", path: string): Promise<Fetched> {
    let response: ApiResponse;
    try {
      const options = { prefix: `Error reading ${path}`, nothingIsAnswer: true };
      response = await this.#context.send({ method, path }, options);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      if (error.status === 403) return { kind: "denied" };
      if (error.status === 404) return { kind: "absent" };
      if (error.status === 405) return { kind: "unknown" };
      throw error;
    }
    if (response.status === 404 || response.status === 204) return { kind: "absent" };
    // What is no JSON, such as a CRL in PEM.
    if (typeof response.body === "string") return { kind: "found", data: { text: response.body } };
    return { kind: "found", data: dataOf(response) };
  }
}

/** What to say of a place that could not be read; null: it could. */
export function unreadable(fetched: Fetched, endpoint: string, what: string): Finding | null {
  if (fetched.kind === "found") return null;
  if (fetched.kind === "denied")
    return { status: "insufficient_permissions", endpoint, message: `The token may not read ${what}.` };
  if (fetched.kind === "unknown")
    return { status: "invalid_version", endpoint, message: `This version has no ${what}.` };
  return { status: "not_applicable", endpoint, message: `There is no ${what}.` };
}

/** An issuer's certificate, as a check looks at it. */
export interface IssuerView {
  readonly id: string;
  readonly endpoint: string;
  readonly certificate: X509Certificate;
  /** It signs itself. */
  readonly isRoot: boolean;
}

/** The mount's issuers; and findings about those that cannot be read. */
export async function issuersIn(
  view: MountView,
): Promise<{ readonly issuers: readonly IssuerView[]; readonly findings: readonly Finding[] }> {
  const { fetched, keys } = await view.list("issuers");
  const problem =
    fetched.kind === "absent" ? null : unreadable(fetched, view.endpoint("issuers"), "list of issuers");
  if (problem !== null) return { issuers: [], findings: [problem] };
  const issuers: IssuerView[] = [];
  const findings: Finding[] = [];
  for (const id of keys) {
    const endpoint = view.endpoint(`issuer/${id}`);
    const read = await view.read(`issuer/${id}/json`);
    const missing = unreadable(read, endpoint, "issuer");
    if (missing !== null) findings.push(missing);
    if (read.kind !== "found") continue;
    const certificate = certificateIn(read.data.certificate);
    if (certificate === null) continue;
    issuers.push({ id, endpoint, certificate, isRoot: certificate.subject === certificate.issuer });
  }
  return { issuers, findings };
}

/** Null: it is none that can be read. */
export function certificateIn(value: Json | undefined): X509Certificate | null {
  try {
    return new X509Certificate(String(value));
  } catch {
    // A certificate of a kind that node:crypto does not read is not one that a check can judge.
    return null;
  }
}

/** A list in an answer, as texts. */
export function textsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

export function objectIn(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

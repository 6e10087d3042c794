import { expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientOptions, CliWorld, DaemonOptions } from "../../src/cli/context.ts";
import { run } from "../../src/cli/run.ts";
import type { Client } from "../../src/client/client.ts";
import type { ApiRequest, ApiResponse } from "../../src/contract/wire.ts";

/** What one invocation did. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: readonly ApiRequest[];
  readonly opened: readonly ClientOptions[];
  readonly closed: number;
  readonly daemon: readonly DaemonOptions[];
  readonly prompts: readonly string[];
  readonly sleptMs: readonly number[];
  /** The files that were written, by path. */
  readonly written: Readonly<Record<string, string>>;
}

export interface Scene {
  /** The answers, one for each request, in order. */
  readonly answers?: readonly (ApiResponse | Error)[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly typed?: string;
  readonly stdoutIsTTY?: boolean;
  readonly stderrIsTTY?: boolean;
  /** The reader of standard output goes away at the first write. */
  readonly brokenPipe?: boolean;
  readonly failToOpen?: Error;
  readonly daemonExitCode?: number;
}

/** A home directory for one test run; the caller disposes of it. */
export function temporaryHome(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "vsec-cli-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export const ok = (body: ApiResponse["body"]): ApiResponse => ({ status: 200, body });
export const empty: ApiResponse = { status: 204, body: null };
export const refused = (status: number, ...errors: readonly string[]): ApiResponse => ({
  status,
  body: { errors: [...errors] },
});

/** An enveloped answer with what matters to the test. */
export function envelope(parts: Readonly<Record<string, ApiResponse["body"]>>): ApiResponse {
  return ok({
    request_id: "3f7c1d2e-0000-4000-8000-000000000001",
    lease_id: "",
    renewable: false,
    lease_duration: 0,
    data: null,
    wrap_info: null,
    warnings: null,
    auth: null,
    mount_type: "",
    ...parts,
  });
}

/** The transport's port: it records each request, and answers with the next answer. */
function recordingClient(
  requests: ApiRequest[],
  answers: readonly (ApiResponse | Error)[],
  onClose: () => void,
): Client {
  return {
    request(request) {
      requests.push(request);
      const response = answers[requests.length - 1];
      if (response === undefined)
        return Promise.reject(new TypeError("the test has no answer for this request"));
      return response instanceof Error ? Promise.reject(response) : Promise.resolve(response);
    },
    url: (path) => `vsec://local/v1/${path}`,
    close: () => Promise.resolve(onClose()),
  };
}

/** What a login or a new token is answered with, keys in the order in which JSON shows them. */
export const AUTH = {
  client_token: "hvs.new",
  accessor: "acc",
  policies: ["apps", "default"],
  token_policies: ["apps", "default"],
  identity_policies: [],
  metadata: { team: "a" },
  orphan: false,
  entity_id: "",
  lease_duration: 3600,
  renewable: true,
  mfa_requirement: null,
} as const;

/** Runs the command line in a world that records everything. Without a HOME of its own, no token file exists. */
export async function vsec(args: readonly string[], scene: Scene = {}): Promise<Ran> {
  const texts = { stdout: "", stderr: "" };
  const requests: ApiRequest[] = [];
  const opened: ClientOptions[] = [];
  const daemon: DaemonOptions[] = [];
  const prompts: string[] = [];
  const sleptMs: number[] = [];
  const written: Record<string, string> = {};
  let closed = 0;
  let broken = false;
  const client = recordingClient(requests, scene.answers ?? [], () => {
    closed += 1;
  });
  const world: CliWorld = {
    stdin: { isTTY: false, readAll: () => Promise.resolve(scene.stdin ?? "") },
    stdout: {
      isTTY: scene.stdoutIsTTY === true,
      get isBroken() {
        return broken;
      },
      write(text) {
        if (scene.brokenPipe === true && text !== "") broken = true;
        if (!broken) texts.stdout += typeof text === "string" ? text : Buffer.from(text).toString("latin1");
        return Promise.resolve();
      },
    },
    stderr: {
      isTTY: scene.stderrIsTTY === true,
      isBroken: false,
      write(text) {
        texts.stderr += text;
        return Promise.resolve();
      },
    },
    env: { HOME: "/nonexistent", ...scene.env },
    clock: {
      now: () => 0,
      sleep: (ms) => {
        sleptMs.push(ms);
        return Promise.resolve();
      },
    },
    openClient(options) {
      const { address, storeDir } = options;
      opened.push({
        ...(address === undefined ? {} : { address }),
        ...(storeDir === undefined ? {} : { storeDir }),
      });
      return scene.failToOpen === undefined ? Promise.resolve(client) : Promise.reject(scene.failToOpen);
    },
    storeDirectory: ({ storeDir }) => storeDir ?? "/home/ada/.local/share/vsec",
    readFile(path) {
      const text = scene.files?.[path];
      if (text === undefined)
        return Promise.reject(new SyntaxError(`open ${path}: no such file or directory`));
      return Promise.resolve(text);
    },
    writeFile(path, text) {
      if (path.startsWith("/read-only/"))
        return Promise.reject(new SyntaxError(`open ${path}: permission denied`));
      written[path] = text;
      return Promise.resolve();
    },
    promptHidden(label) {
      prompts.push(label);
      return Promise.resolve(scene.typed ?? null);
    },
    dieBy: () => undefined,
    runDaemon(options) {
      daemon.push(options);
      return Promise.resolve(scene.daemonExitCode ?? 0);
    },
  };
  const exitCode = await run(args, world);
  return { exitCode, ...texts, requests, opened, closed, daemon, prompts, sleptMs, written };
}

/** A 404 that says nothing, and the refusal of a policy. */
export const nothing: ApiResponse = { status: 404, body: { errors: [] } };
export const denied = refused(403, "1 error occurred:\n\t* permission denied\n\n");

/** Runs a command with a token, and returns what it sent without that token. */
export async function sent(args: readonly string[], scene: Scene = {}) {
  const ran = await vsec(args, { ...scene, env: { VSEC_TOKEN: "hvs.test", ...scene.env } });
  const requests = ran.requests.map(({ token, ...request }): Omit<ApiRequest, "token"> => {
    expect(token === undefined || token === "hvs.test").toBe(true);
    return request;
  });
  return { ...ran, requests };
}

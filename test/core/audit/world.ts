import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { JsonObject } from "../../../src/base/json.ts";
import { AuditBroker, type AuditOptions } from "../../../src/core/audit/broker.ts";
import type { AuditEntry } from "../../../src/core/audit/entry.ts";
import { auditPaths } from "../../../src/core/audit/paths.ts";
import type { PathSpec } from "../../../src/framework/backend.ts";
import { type AccessWorld, accessWorld, ask } from "../wrapping/world.ts";

export interface AuditWorld extends AccessWorld {
  readonly broker: AuditBroker;
  readonly paths: readonly PathSpec[];
  enable(path: string, options: Readonly<Record<string, string>>, type?: string): Promise<void>;
  /** What a device writes in place of a text. */
  hash(input: string, path?: string): Promise<string>;
}

export async function auditWorld(options: AuditOptions = {}): Promise<AuditWorld> {
  const access = await accessWorld();
  const broker = new AuditBroker(access.services, options);
  const paths = auditPaths(access.services, broker);
  return {
    ...access,
    broker,
    paths,
    enable: async (path, deviceOptions, type = "file") => {
      await ask(paths, { path: `audit/${path}`, data: { type, options: deviceOptions } });
    },
    hash: async (input, path = "file") => {
      const reply = await ask(paths, { path: `audit-hash/${path}`, data: { input } });
      return String(reply?.data?.hash);
    },
  };
}

/** The request of a token that reads a database credential. */
export function entry(fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    requestId: "6a0d9c1e-7a7d-4e6b-8a53-0f6c4a1b2c3d",
    time: 1_700_000_000_123,
    operation: "read",
    path: "database/creds/readonly",
    mount: {
      path: "database/",
      type: "database",
      accessor: "database_1a2b3c4d",
      class: "secret",
      nonHmacRequestKeys: [],
      nonHmacResponseKeys: [],
    },
    data: {},
    clientToken: "",
    caller: null,
    policyResults: null,
    remoteAddress: null,
    wrapTtlSeconds: 0,
    headers: {},
    ...fields,
  };
}

/** The lines of an audit file, parsed. A line that is no whole JSON object is an error. */
export function linesOf(file: string): readonly JsonObject[] {
  const text = readFileSync(file, "utf8");
  if (text !== "" && !text.endsWith("\n")) throw new TypeError("the last line has no end");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JsonObject);
}

/** The paths of the requests that a file's lines are about. */
export function requestPaths(file: string): readonly string[] {
  return linesOf(file).map(({ request }) => String((request as JsonObject).path));
}

/** The hash as the reference has it, by another way than the product's. */
export function hmac(salt: string, value: string): string {
  return `hmac-sha256:${createHmac("sha256", Buffer.from(salt)).update(Buffer.from(value)).digest("hex")}`;
}

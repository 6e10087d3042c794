import { formatDuration } from "../../base/duration.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Cell } from "../outcome.ts";
import { compareKeys, plainValue, quotedList, rowValue } from "./plain-values.ts";

type Row = readonly [string, Cell];

/** The rows of an enveloped answer in Vault's order: lease, token, wrapping token, then the data by key. */
export function secretRows(body: JsonObject): readonly Row[] {
  return [
    ...leaseRows(body),
    ...(isJsonObject(body.auth) ? authRows(body.auth) : []),
    ...(isJsonObject(body.wrap_info) ? wrapRows(body.wrap_info) : []),
    ...(isJsonObject(body.data) ? dataRows(body.data) : []),
  ];
}

/** The rows of a data object, sorted by key. */
export function dataRows(data: JsonObject): readonly Row[] {
  return Object.keys(data)
    .sort(compareKeys)
    .map((key) => [key, rowValue(key, data[key] ?? null)]);
}

const secondsOf = (value: Json | undefined): number => (typeof value === "number" ? value : 0);

function leaseRows(body: JsonObject): readonly Row[] {
  const durationSeconds = secondsOf(body.lease_duration);
  if (durationSeconds <= 0) return [];
  const duration = formatDuration(durationSeconds);
  if (typeof body.lease_id !== "string" || body.lease_id === "") return [["refresh_interval", duration]];
  return [
    ["lease_id", body.lease_id],
    ["lease_duration", duration],
    ["lease_renewable", String(body.renewable ?? false)],
  ];
}

function authRows(auth: JsonObject): readonly Row[] {
  if (isJsonObject(auth.mfa_requirement)) return mfaRows(auth.mfa_requirement);
  const durationSeconds = secondsOf(auth.lease_duration);
  const metadata = isJsonObject(auth.metadata) ? auth.metadata : {};
  return [
    ["token", plainValue(auth.client_token ?? "")],
    ["token_accessor", plainValue(auth.accessor ?? "")],
    ["token_duration", durationSeconds === 0 ? "∞" : formatDuration(durationSeconds)],
    ["token_renewable", String(auth.renewable ?? false)],
    ["token_policies", quotedList(auth.token_policies)],
    ["identity_policies", quotedList(auth.identity_policies)],
    ["policies", quotedList(auth.policies)],
    ...Object.keys(metadata)
      .sort(compareKeys)
      .map((key): Row => [`token_meta_${key}`, plainValue(metadata[key] ?? null)]),
  ];
}

function mfaRows(requirement: JsonObject): readonly Row[] {
  const rows: Row[] = [["mfa_request_id", plainValue(requirement.mfa_request_id ?? "")]];
  const constraints = isJsonObject(requirement.mfa_constraints) ? requirement.mfa_constraints : {};
  for (const name of Object.keys(constraints).sort(compareKeys)) {
    const constraint = constraints[name];
    const any = isJsonObject(constraint) && Array.isArray(constraint.any) ? constraint.any : [];
    for (const method of any as readonly Json[]) {
      if (!isJsonObject(method)) continue;
      const base = `mfa_constraint_${name}_${plainValue(method.type ?? "")}`;
      rows.push(
        [`${base}_id`, plainValue(method.id ?? "")],
        [`${base}_uses_passcode`, String(method.uses_passcode ?? false)],
        [`${base}_name`, plainValue(method.name ?? "")],
      );
    }
  }
  return rows;
}

/** The labels of a wrapping token carry a colon, as Vault prints them. */
function wrapRows(wrap: JsonObject): readonly Row[] {
  const rows: Row[] = [
    ["wrapping_token:", plainValue(wrap.token ?? "")],
    ["wrapping_accessor:", plainValue(wrap.accessor ?? "")],
    ["wrapping_token_ttl:", formatDuration(secondsOf(wrap.ttl))],
    ["wrapping_token_creation_time:", goTime(plainValue(wrap.creation_time ?? ""))],
    ["wrapping_token_creation_path:", plainValue(wrap.creation_path ?? "")],
  ];
  if (typeof wrap.wrapped_accessor === "string" && wrap.wrapped_accessor !== "")
    rows.push(["wrapped_accessor:", wrap.wrapped_accessor]);
  return rows;
}

/** An RFC 3339 time as Go prints a time: `2024-05-01 10:00:00.123456789 +0000 UTC`. */
function goTime(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return text;
  const [, date, time, fraction = "", zone = "Z"] = match;
  const offset = zone === "Z" ? "+0000 UTC" : `${zone.replace(":", "")} ${zone.replace(":", "")}`;
  return `${date} ${time}${fraction.replace(/\.?0+$/, "")} ${offset}`;
}

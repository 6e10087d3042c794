import type { MountEntry } from "./table.ts";

/** The two settings of a mount that let headers through: the request's to its engine, its engine's to the answer. */
export type HeaderSetting = "passthrough_request_headers" | "allowed_response_headers";

type Headers = Readonly<Record<string, string>>;

/** Those of `headers` that the mount lets through, as they are named; none unless it was tuned. Case does not count. */
export function headersThrough({ config }: MountEntry, setting: HeaderSetting, headers: Headers): Headers {
  const tuned = config.extra[setting];
  if (!Array.isArray(tuned) || tuned.length === 0) return {};
  const allowed = new Set(tuned.map((name) => String(name).toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => allowed.has(name.toLowerCase())));
}

import type { Json } from "../base/json.ts";
import type { ApiRequest, Method } from "./wire.ts";

/** The verb that goes over HTTP: a list and a help request are reads with a parameter. */
export function httpMethod(method: Method): string {
  return method === "LIST" || method === "HELP" ? "GET" : method;
}

/** A request's query with what its verb adds, keys sorted: `?list=true`; empty for none. */
export function queryText(request: Pick<ApiRequest, "method" | "query">): string {
  const pairs: [string, string][] = [];
  if (request.method === "LIST") pairs.push(["list", "true"]);
  if (request.method === "HELP") pairs.push(["help", "1"]);
  for (const [key, value] of Object.entries(request.query ?? {})) {
    for (const item of Array.isArray(value) ? (value as readonly Json[]) : [value])
      pairs.push([key, scalarText(item)]);
  }
  if (pairs.length === 0) return "";
  const encode = (text: string): string => encodeURIComponent(text).replaceAll("%20", "+");
  const sorted = pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `?${sorted.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&")}`;
}

/** A value as queries and messages show it. */
export function scalarText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

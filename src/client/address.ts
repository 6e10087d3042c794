import { VsecError } from "../base/errors.ts";

/** Where a daemon is. */
export type Address =
  | { readonly kind: "unix"; readonly path: string; readonly text: string }
  | {
      readonly kind: "tcp";
      readonly isSecure: boolean;
      readonly host: string;
      readonly port: number;
      /** A path that stands before `/v1`, without its trailing slash. */
      readonly prefix: string;
      /** Without a trailing slash: `https://host:8200`. */
      readonly text: string;
    };

const DEFAULT_PORT = { "http:": 80, "https:": 443 } as const;

/**
 * Parses `unix:///path`, `http://host:port` or `https://host:port`.
 * @throws VsecError UNREACHABLE for anything else.
 */
export function parseAddress(text: string): Address {
  const [, path] = /^unix:\/\/(\/.+)$/.exec(text) ?? [];
  if (path !== undefined) return { kind: "unix", path, text };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const { protocol } = url ?? {};
  if (url === undefined || (protocol !== "http:" && protocol !== "https:")) throw notAnAddress(text);
  if (url.username !== "" || url.password !== "" || url.search !== "") throw notAnAddress(url.origin);
  const prefix = url.pathname.replace(/\/+$/, "");
  return {
    kind: "tcp",
    isSecure: protocol === "https:",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? DEFAULT_PORT[protocol] : Number(url.port),
    prefix,
    text: `${text.replace(/^([a-z]+:\/\/[^/?#]*).*$/i, "$1")}${prefix}`,
  };
}

function notAnAddress(shown: string): VsecError {
  const forms = "https://host:8200, http://127.0.0.1:8200 or unix:///path/to/socket";
  return new VsecError(
    "UNREACHABLE",
    `${JSON.stringify(shown)} is not an address; addresses are like ${forms}`,
  );
}

/** A path for a URL: each segment is escaped, as Go does it. */
export function escapePath(path: string): string {
  return path
    .split("/")
    .map((segment) =>
      encodeURIComponent(segment).replace(/%(?:40|3A|2B|3D|24|26|2C)/g, (escaped) =>
        decodeURIComponent(escaped),
      ),
    )
    .join("/");
}

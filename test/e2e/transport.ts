/** The ways in which a command reaches the API. What it answers must not depend on them. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CertificateAuthority } from "../servers/certificates.ts";
import { freePort } from "../servers/process.ts";

/** In the command's own process; over the unix socket of the store's daemon; over TLS to a daemon. */
export type Transport = "process" | "socket" | "tls";

/** Where requests are carried out. */
export interface Place {
  /** What error messages show before `/v1/…`. */
  readonly address: string;
  /** What commands need to get there, beside the store. */
  readonly env: Readonly<Record<string, string>>;
  /** The flags of the daemon to start; null: none is needed. */
  readonly daemon: readonly string[] | null;
}

export const IN_PROCESS: Place = { address: "vsec://local", env: {}, daemon: null };

/** @param home - Certificates are made below it. */
export async function placeFor(transport: Transport, home: string, store: string): Promise<Place> {
  switch (transport) {
    case "process":
      return IN_PROCESS;
    case "socket":
      return { address: `unix://${join(store, "daemon.sock")}`, env: {}, daemon: [] };
    case "tls":
      return tlsPlace(home);
  }
}

async function tlsPlace(home: string): Promise<Place> {
  const directory = join(home, "tls");
  mkdirSync(directory, { mode: 0o700 });
  const authority = new CertificateAuthority(directory);
  const { certFile, keyFile } = authority.issue("127.0.0.1", "IP:127.0.0.1");
  const place = `127.0.0.1:${await freePort()}`;
  return {
    address: `https://${place}`,
    env: { VSEC_ADDR: `https://${place}`, VSEC_CACERT: authority.certFile },
    daemon: [`-listen=${place}`, `-tls-cert-file=${certFile}`, `-tls-key-file=${keyFile}`],
  };
}

/** An expectation that was written for {@link IN_PROCESS}, with the URL that is shown instead. */
export function shownAt(address: string, text: string): string {
  return text.replaceAll(IN_PROCESS.address, address);
}

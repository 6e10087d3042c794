import { isAbsolute, resolve } from "node:path";
import { VsecError } from "../base/errors.ts";

/** Where the daemon is to listen, as its flags say. */
export interface ListenOptions {
  /** Serves nobody: only what is due gets done. */
  readonly noListen?: boolean;
  /** A socket file instead of the store's own. */
  readonly socket?: string;
  /** A group, by name or number, whose members may use the socket. */
  readonly socketGroup?: string;
  /** `host:port`, any number of them. */
  readonly listen?: readonly string[];
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  /** Clients must show a certificate of one of these authorities. */
  readonly tlsClientCaFile?: string;
  /** Lets plain HTTP out of this machine. */
  readonly tlsDisable?: boolean;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string;
}

export interface TcpPlace {
  readonly host: string;
  readonly port: number;
}

export interface SocketPlace {
  readonly path: string;
  readonly group?: string;
}

/** The listeners to open. */
export interface ListenPlan {
  readonly sockets: readonly SocketPlace[];
  readonly tcp: readonly TcpPlace[];
  /** Absent: plain HTTP. */
  readonly tls?: TlsFiles;
}

function usage(text: string): VsecError {
  return new VsecError("USAGE", text);
}

/**
 * Turns flags into listeners.
 * @param storeSocket - The store's own socket; null: the store has no place for one.
 * @throws VsecError USAGE for flags that do not fit together.
 */
export function planListeners(options: ListenOptions, storeSocket: string | null): ListenPlan {
  const { noListen = false, socket, socketGroup, listen = [] } = options;
  const tls = tlsFiles(options);
  if (noListen) {
    if (socket !== undefined || socketGroup !== undefined || listen.length > 0)
      throw usage("-no-listen cannot be used together with -listen, -socket or -socket-group");
    return { sockets: [], tcp: [] };
  }
  if (socketGroup !== undefined && socket === undefined) {
    throw usage(
      "-socket-group needs -socket: the store's own directory, where the socket lies otherwise, stays closed to others",
    );
  }
  const tcp = listen.map(parseAddress);
  for (const place of tcp) requireTlsOrLoopback(place, tls !== undefined || options.tlsDisable === true);
  if (tls !== undefined && tcp.length === 0) throw usage("-tls-cert-file is for -listen, which is missing");
  const path = socket === undefined ? storeSocket : resolve(socket);
  const group = socketGroup === undefined ? {} : { group: socketGroup };
  return { sockets: path === null ? [] : [{ path, ...group }], tcp, ...(tls === undefined ? {} : { tls }) };
}

function tlsFiles(options: ListenOptions): TlsFiles | undefined {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile, tlsDisable = false } = options;
  if (tlsCertFile === undefined && tlsKeyFile === undefined) {
    if (tlsClientCaFile === undefined) return undefined;
    throw usage("-tls-client-ca-file needs -tls-cert-file and -tls-key-file");
  }
  if (tlsCertFile === undefined || tlsKeyFile === undefined)
    throw usage("-tls-cert-file and -tls-key-file are only of use together");
  if (tlsDisable) throw usage("-tls-disable cannot be used together with -tls-cert-file");
  const clientCa = tlsClientCaFile === undefined ? {} : { clientCaFile: resolve(tlsClientCaFile) };
  return { certFile: resolve(tlsCertFile), keyFile: resolve(tlsKeyFile), ...clientCa };
}

const PORT_MAX = 65_535;

/**
 * Parses `host:port`, `[::1]:port` or `:port` (every address of the machine).
 * @throws VsecError USAGE.
 */
export function parseAddress(text: string): TcpPlace {
  const [, bracketed, bare, digits] = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > PORT_MAX || isAbsolute(text)) {
    throw usage(`-listen: ${JSON.stringify(text)} is not of the form host:port, as in 127.0.0.1:8200`);
  }
  return { host: bracketed ?? (bare || "::"), port };
}

/** `host:port`, as {@link parseAddress} reads it. */
export function addressText({ host, port }: TcpPlace): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** True for addresses that only this machine can reach. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

function requireTlsOrLoopback(place: TcpPlace, isSettled: boolean): void {
  if (isSettled || isLoopback(place.host)) return;
  throw usage(
    `${addressText(place)} is not on the loopback interface, and plain HTTP would show every secret to the network: give -tls-cert-file and -tls-key-file, or say -tls-disable`,
  );
}

import type { Clock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import type { Env } from "../contract/environment.ts";
import type { Sink, Source } from "./streams.ts";

/** How a client of an address is to be sure whom it talks to, and to show who it is: files, as the flags name them. */
export interface TlsClientOptions {
  readonly caCert?: string;
  readonly caPath?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly serverName?: string;
  readonly skipVerify?: boolean;
}

/** Where a client is to be found, from global flags and the environment. */
export interface ClientOptions {
  readonly address?: string;
  readonly storeDir?: string;
  readonly tls?: TlsClientOptions;
  /** Further headers for requests over HTTP. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How serious a message must be for the daemon to log it, from the least. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** How the daemon is to run. */
export interface DaemonOptions {
  readonly once: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: "standard" | "json";
  readonly storeDir?: string;
  readonly noListen?: boolean;
  readonly socket?: string;
  readonly socketGroup?: string;
  readonly listen?: readonly string[];
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly tlsClientCaFile?: string;
  readonly tlsDisable?: boolean;
  readonly dev?: {
    readonly listenAddress?: string;
    readonly rootTokenId?: string;
    readonly storeToken: boolean;
  };
}

/** Everything of the outside that the command line touches, passed in, so that a test owns it. */
export interface CliWorld {
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Env;
  readonly clock: Clock;
  /** Opens the way to the API; called at most once, and only by commands that need it. */
  openClient(options: ClientOptions, env: Env): Promise<Client>;
  /** Where the store of these options is, or would be. */
  storeDirectory(options: ClientOptions): string;
  /** A whole text file. @throws SyntaxError with Go's text (`open x: no such file or directory`). */
  readFile(path: string): Promise<string>;
  /**
   * Replaces a text file in one step; a new one has mode 0644, an old one keeps its own.
   * @throws SyntaxError with Go's text (`open x: permission denied`).
   */
  writeFile(path: string, text: string): Promise<void>;
  /**
   * Asks a person on the terminal, without showing what is typed. Null: there is no terminal.
   * @param label - Printed on standard error, without a newline after it.
   */
  promptHidden(label: string): Promise<string | null>;
  /** Ends this process by a signal, as if it had come from outside. */
  dieBy(signal: NodeJS.Signals): void;
  /** Runs the daemon until it has ended or a signal asked it to. @returns Its exit code. */
  runDaemon(options: DaemonOptions): Promise<number>;
}

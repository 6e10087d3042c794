import type { Address } from "./address.ts";

/** A message to send: its place, and what goes with it. */
export interface Outgoing {
  readonly address: Address;
  readonly method: string;
  /** With query, below the address's own path. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What came back. */
export interface Incoming {
  readonly status: number;
  readonly bytes: Buffer;
  readonly location: string | undefined;
}

/** An exchange under way, which can be given up. */
export interface Exchange {
  /** Rejects with what the system, TLS or the parser says. */
  readonly incoming: Promise<Incoming>;
  abort(): void;
}

/** Sends one message, over a connection of its own. */
export type Transport = (outgoing: Outgoing) => Exchange;

/** Above it an answer is not one of ours. */
export const ANSWER_BYTES_MAX = 134_217_728;

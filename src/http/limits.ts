/** What a listener puts up with. Sizes in bytes, times in milliseconds. */
export interface HttpLimits {
  /** Request line and headers together. */
  readonly headBytesMax: number;
  readonly headersMax: number;
  readonly bodyBytesMax: number;
  /** Bodies being received at one time, over all connections: many large uploads cannot take all memory. */
  readonly bodiesBytesMax: number;
  readonly connectionsMax: number;
  /** From the first byte of a request (of a connection: from its start) to the end of its headers; as long for a TLS handshake. */
  readonly headMsMax: number;
  /** From the end of the headers to the end of the body. */
  readonly bodyMsMax: number;
  /** Between two requests of a connection. */
  readonly idleMsMax: number;
  /** From a whole request to its answer. */
  readonly handleMsMax: number;
  /** For a client to take the answer. */
  readonly writeMsMax: number;
  /** For what runs when the listener is closed. */
  readonly shutdownMsMax: number;
}

/** The sizes and times of Vault's own listener, where it has them. @see reference: HTTP layer, limits. */
export const HTTP_LIMITS: HttpLimits = {
  headBytesMax: 65_536,
  headersMax: 128,
  bodyBytesMax: 33_554_432,
  bodiesBytesMax: 268_435_456,
  connectionsMax: 4096,
  headMsMax: 10_000,
  bodyMsMax: 30_000,
  idleMsMax: 300_000,
  handleMsMax: 90_000,
  writeMsMax: 30_000,
  shutdownMsMax: 30_000,
};

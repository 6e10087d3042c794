/*
 * The data types of the SSH protocol (RFC 4251 section 5), which keys and certificates are made of.
 */

/** Bytes with their length in front. */
export function sshString(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A number that is not negative: no zeros in front but the one that keeps it from being so. */
export function sshInteger(magnitude: Uint8Array): Buffer {
  let bytes = Buffer.from(magnitude);
  while (bytes.length > 0 && bytes[0] === 0) bytes = bytes.subarray(1);
  const first = bytes[0] ?? 0;
  return sshString(first >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}

export function sshUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function sshUint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** Reads one value after the other. @throws SyntaxError when the bytes end too early. */
export class SshReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }

  string(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    return this.string().toString("utf8");
  }

  /** The magnitude of a number, without zeros in front. */
  integer(): Buffer {
    let bytes = this.string();
    while (bytes.length > 0 && bytes[0] === 0) bytes = bytes.subarray(1);
    return bytes;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  /** What is left, and nothing after it. */
  rest(): Buffer {
    return this.#take(this.#bytes.length - this.#at);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new SyntaxError("ssh: short read");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

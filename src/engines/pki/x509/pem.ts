/** A block of PEM (RFC 7468). */
export interface PemBlock {
  /** `CERTIFICATE`, `RSA PRIVATE KEY`. */
  readonly label: string;
  readonly der: Buffer;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;
const BLOCKS_MAX = 1000;

/**
 * The blocks of a text, whatever stands around them. Headers of old (`Proc-Type`) make a block that is encrypted; its bytes
 * are not read.
 * @throws SyntaxError for a block whose content is not base64, and for more than 1,000 blocks.
 */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length > BLOCKS_MAX) throw new SyntaxError(`more than ${BLOCKS_MAX} blocks of PEM`);
  return blocks.map(([, label = "", body = ""]) => ({ label, der: decodeBase64(body) }));
}

/** @throws SyntaxError for what is not base64. */
export function decodeBase64(text: string): Buffer {
  const compact = text.replace(/\s+/g, "");
  if (compact === "" || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw new SyntaxError("not base64");
  return Buffer.from(compact, "base64");
}

/** The block, its lines of 64 characters, without a line break at the end (Vault's form of a field). */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join("\n");
}

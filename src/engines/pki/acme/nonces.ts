import { timingSafeEqual } from "node:crypto";
import { hasCode } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { AcmeProblem } from "./problem.ts";

/** Used nonces, until they would have expired anyway. */
export const NONCE_PREFIX = "acme/nonce/";

const LIFE_MS = 30 * 60_000;
const EXPIRY_BYTES = 6;
const RANDOM_BYTES = 12;
const MAC_BYTES = 16;

type NonceContext = Pick<MountContext, "storage" | "clock" | "random" | "hash">;

/**
 * Nonces against replay (RFC 8555 section 6.5). One that is handed out is not kept: it says itself until when it is good,
 * under a keyed hash, so that asking for nonces costs no write. One that is used is kept until then, and refused a second
 * time, by whatever process sees it.
 */
export class Nonces {
  readonly #context: NonceContext;

  constructor(context: NonceContext) {
    this.#context = context;
  }

  issue(): string {
    const { clock, random } = this.#context;
    const body = Buffer.alloc(EXPIRY_BYTES + RANDOM_BYTES);
    body.writeUIntBE(clock.now() + LIFE_MS, 0, EXPIRY_BYTES);
    body.set(random.bytes(RANDOM_BYTES), EXPIRY_BYTES);
    return Buffer.concat([body, this.#mac(body)]).toString("base64url");
  }

  /** Uses a nonce up. @throws AcmeProblem badNonce for one that is not ours, too old, or used. */
  async use(nonce: string): Promise<void> {
    const { clock, storage } = this.#context;
    const bytes = Buffer.from(nonce, "base64url");
    const body = bytes.subarray(0, -MAC_BYTES);
    if (body.length !== EXPIRY_BYTES + RANDOM_BYTES || bytes.toString("base64url") !== nonce) throw bad();
    if (!timingSafeEqual(bytes.subarray(-MAC_BYTES), this.#mac(body))) throw bad();
    const expiresAt = body.readUIntBE(0, EXPIRY_BYTES);
    if (clock.now() >= expiresAt) throw bad();
    try {
      await storage.commit([
        { op: "put", key: NONCE_PREFIX + nonce, value: { v: 1 }, dueAt: expiresAt, expect: 0 },
      ]);
    } catch (error) {
      throw hasCode(error, "STORE_CONFLICT") ? bad(error) : error;
    }
  }

  #mac(body: Buffer): Buffer {
    return Buffer.from(this.#context.hash("acme-nonce", body.toString("hex")), "hex").subarray(0, MAC_BYTES);
  }
}

function bad(cause?: unknown): AcmeProblem {
  return new AcmeProblem(
    "badNonce",
    "the nonce is not good: it is not one of this server's, too old, or used",
    {
      cause,
    },
  );
}

import { argon2, createSecretKey, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { VsecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import { KEY_BYTES } from "../derive.ts";
import type { SealDependencies } from "./dependencies.ts";
import { bytesParam, checkType, countParam, encodeBase64 } from "./params.ts";
import type { Seal, SealConfig } from "./port.ts";
import { checkParam, requireMatch } from "./root-key-text.ts";
import { unlockedCache } from "./unlocked-cache.ts";
import { unwrapParam, wrapParam } from "./wrap.ts";

/** A seal that a person opens. */
export interface PassphraseSeal extends Seal {
  /**
   * Derives the key, and keeps the root key for the commands that follow.
   * @throws SEAL_WRONG_KEY when it is not the store's passphrase; BARRIER_DAMAGED when the configuration cannot be believed.
   */
  unlock(config: SealConfig, passphrase: Secret<string>): Promise<Uint8Array>;
  /**
   * Forgets what `unlock` kept: the next command finds the store sealed, unless the environment has the passphrase.
   * @returns False when no keychain answered: if there is one in another session, it may still hold the key.
   */
  lock(config: SealConfig): Promise<boolean>;
}

const PASSPHRASE_BYTES_MAX = 1024;
const SALT_BYTES = 16;

/** Argon2id's second recommended choice (RFC 9106 section 4): 64 MiB, three passes, four lanes. */
const COSTS: Costs = { memoryKib: 65_536, passes: 3, lanes: 4 };

/** What a configuration may ask for: it lies in the store in clear, and must not be able to exhaust this machine. */
const MEMORY_KIB_MAX = 1_048_576;
const PASSES_MAX = 16;
const LANES_MAX = 16;
/** RFC 9106 section 3.1: at least eight blocks a lane. */
const MEMORY_KIB_PER_LANE_MIN = 8;

interface Costs {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The root key, encrypted under a key derived from a passphrase with Argon2id (RFC 9106). */
export function passphraseSeal(dependencies: SealDependencies): PassphraseSeal {
  const { random } = dependencies;
  const cache = unlockedCache(dependencies);

  const prove = async (config: SealConfig, passphrase: Secret<string>): Promise<Uint8Array> => {
    checkType(config, "passphrase");
    const key = await derive(passphrase, bytesParam(config, "salt", SALT_BYTES), costsOf(config));
    const refusal = `the passphrase is not that of store ${config.storeId}`;
    return requireMatch(config, unwrapParam(config, key, refusal), "the passphrase");
  };
  const unlock = async (config: SealConfig, passphrase: Secret<string>): Promise<Uint8Array> => {
    const rootKey = await prove(config, passphrase);
    await cache.write(config, rootKey);
    return rootKey;
  };
  const lock = async (config: SealConfig): Promise<boolean> => {
    checkType(config, "passphrase");
    return await cache.remove(config);
  };

  return {
    type: "passphrase",
    unlock,
    lock,
    prove,
    forget: async (config) => {
      await lock(config);
    },

    async protect(rootKey, storeId) {
      const passphrase = givenPassphrase(dependencies);
      if (passphrase === undefined) {
        const text = "a passphrase is needed: set VSEC_PASSPHRASE or VSEC_PASSPHRASE_FILE";
        throw new VsecError("SEAL_UNAVAILABLE", text);
      }
      const salt = random.bytes(SALT_BYTES);
      const key = await derive(passphrase, salt, COSTS);
      const wrapped = wrapParam(key, rootKey, storeId, random);
      const params = { salt: encodeBase64(salt), ...COSTS, ...wrapped, ...checkParam(rootKey, storeId) };
      const config: SealConfig = { type: "passphrase", storeId, params };
      await cache.write(config, rootKey);
      return config;
    },

    async open(config) {
      checkType(config, "passphrase");
      const cached = await cache.read(config);
      if (cached !== null) return cached;
      const passphrase = givenPassphrase(dependencies);
      return passphrase === undefined ? null : await unlock(config, passphrase);
    },
  };
}

/** @throws SEAL_UNAVAILABLE when the file is missing; what reading a private file throws. */
function givenPassphrase({ env, files }: SealDependencies): Secret<string> | undefined {
  if (env.passphrase !== undefined) return env.passphrase;
  const path = env.passphraseFile;
  if (path === undefined) return undefined;
  // Service managers and orchestrators hand out secrets behind links.
  const content = files.read(path, { bytesMax: PASSPHRASE_BYTES_MAX + 2, followLinks: true });
  if (content === null) throw new VsecError("SEAL_UNAVAILABLE", `the passphrase file ${path} is missing`);
  return new Secret(
    Buffer.from(content)
      .toString("utf8")
      .replace(/\r?\n$/, ""),
  );
}

function costsOf(config: SealConfig): Costs {
  const lanes = countParam(config, "lanes", 1, LANES_MAX);
  const memoryKib = countParam(config, "memoryKib", lanes * MEMORY_KIB_PER_LANE_MIN, MEMORY_KIB_MAX);
  return { memoryKib, passes: countParam(config, "passes", 1, PASSES_MAX), lanes };
}

/** @throws USAGE when the passphrase is empty or too long. */
async function derive(passphrase: Secret<string>, salt: Uint8Array, costs: Costs): Promise<KeyObject> {
  // Keyboards spell the same letter in different ways.
  const message = Buffer.from(passphrase.reveal().normalize("NFC"), "utf8");
  if (message.length === 0 || message.length > PASSPHRASE_BYTES_MAX) {
    throw new VsecError("USAGE", `a passphrase has 1 to ${PASSPHRASE_BYTES_MAX} bytes`);
  }
  const key = await promisify(argon2)("argon2id", {
    message,
    nonce: salt,
    parallelism: costs.lanes,
    memory: costs.memoryKib,
    passes: costs.passes,
    tagLength: KEY_BYTES,
  });
  return createSecretKey(key);
}

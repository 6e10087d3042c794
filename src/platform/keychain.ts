import { existsSync } from "node:fs";
import { messageOf, VsecError } from "../base/errors.ts";
import type { Keychain } from "../base/keychain.ts";
import { Secret } from "../base/secret.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface KeychainOptions {
  readonly env?: Environment;
  readonly platform?: NodeJS.Platform;
  /** How long an answer is waited for. */
  readonly timeoutMs?: number;
}

/** Without a screen nobody can be asked to unlock the keychain, so an answer is there at once or never. */
const ANSWER_MS_MAX = 5_000;
/** With one, a prompt may be open, and a person is typing. */
const PROMPT_MS_MAX = 60_000;

const SERVICE_OF_PROBE = "vsec-probe";

/**
 * The system's keychain: Keychain Services on macOS, the Credential Manager on Windows, the Secret Service on Linux.
 *
 * A call that the keychain never answers is given up after a while, but cannot be cancelled: it keeps the event loop
 * alive, so the program then has to end with an explicit exit.
 */
export function systemKeychain(options: KeychainOptions = {}): Keychain {
  const env = options.env ?? process.env;
  const platform = options.platform ?? process.platform;
  const timeoutMs = options.timeoutMs ?? (hasScreen(env, platform) ? PROMPT_MS_MAX : ANSWER_MS_MAX);
  const call = async <T>(ask: (secrets: typeof Bun.secrets) => Promise<T>): Promise<T> => {
    if (typeof Bun === "undefined") throw unavailable("this runtime has no access to it");
    if (platform === "linux" && !hasSessionBus(env)) throw unavailable("there is no D-Bus session");
    return await within(timeoutMs, ask(Bun.secrets));
  };
  const keychain: Keychain = {
    available: () => canStore(keychain),
    get: (service, name) =>
      call(async (secrets) => {
        const value = await secrets.get({ service, name });
        return value === null ? null : new Secret(value);
      }),
    set: (service, name, value) => call((secrets) => secrets.set({ service, name, value: value.reveal() })),
    delete: (service, name) => call((secrets) => secrets.delete({ service, name })),
  };
  return keychain;
}

/** A locked Secret Service answers reads with "no such item", so only writing shows that items can be kept. */
async function canStore(keychain: Keychain): Promise<boolean> {
  const probe = crypto.randomUUID();
  try {
    await keychain.set(SERVICE_OF_PROBE, probe, new Secret(probe));
    const back = await keychain.get(SERVICE_OF_PROBE, probe);
    await keychain.delete(SERVICE_OF_PROBE, probe);
    return back?.reveal() === probe;
  } catch (error) {
    if (error instanceof VsecError) return false;
    throw error;
  }
}

function hasScreen(env: Environment, platform: NodeJS.Platform): boolean {
  return platform !== "linux" || Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY);
}

/** Where libsecret looks for the session bus: the variable, the runtime directory, else X11's own autolaunch. */
function hasSessionBus(env: Environment): boolean {
  if (env.DBUS_SESSION_BUS_ADDRESS || env.DISPLAY) return true;
  return Boolean(env.XDG_RUNTIME_DIR) && existsSync(`${env.XDG_RUNTIME_DIR}/bus`);
}

async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let handle: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    handle = setTimeout(() => reject(unavailable("it does not answer")), timeoutMs);
  });
  try {
    return await Promise.race([answer, timeout]);
  } catch (error) {
    throw error instanceof VsecError ? error : unavailable(messageOf(error), error);
  } finally {
    clearTimeout(handle);
  }
}

function unavailable(reason: string, cause?: unknown): VsecError {
  const text = `the system's keychain cannot be used: ${reason}`;
  return new VsecError("KEYCHAIN_UNAVAILABLE", text, { cause });
}

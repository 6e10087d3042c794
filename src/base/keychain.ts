import type { Secret } from "./secret.ts";

/** The operating system's keychain as a port. An item is named by a service and a name, and holds a short text. */
export interface Keychain {
  /** True when an item can be written, read back and removed now, without a person. Never throws, answers within seconds. */
  available(): Promise<boolean>;
  /**
   * Null: no such item, or the keychain is locked (the Secret Service does not tell these apart).
   * @throws KEYCHAIN_UNAVAILABLE when no keychain answers.
   */
  get(service: string, name: string): Promise<Secret<string> | null>;
  /** Creates or replaces the item. @throws KEYCHAIN_UNAVAILABLE when no keychain answers, or it is locked. */
  set(service: string, name: string, value: Secret<string>): Promise<void>;
  /** False: there was no such item. @throws KEYCHAIN_UNAVAILABLE when no keychain answers. */
  delete(service: string, name: string): Promise<boolean>;
}

import { badRequest, hasCode, messageOf } from "../../base/errors.ts";
import type { MountContext } from "../../framework/backend.ts";
import type { RevokeOutcome } from "../../framework/secret.ts";
import { type ConnectionConfig, readConfigForRevocation } from "./config.ts";
import {
  DatabaseError,
  type DatabasePlugin,
  type DatabasePluginType,
  type DoomedUser,
  type Login,
  type LoginOutcome,
  type PluginFinder,
} from "./plugin.ts";
import { RevocationPace, revocationsPerSecond } from "./revocation-pace.ts";
import { settleRotation } from "./root-rotation.ts";
import { takesLogins, tryLogin } from "./try-login.ts";
import { usernameFor } from "./username.ts";

/** The most users that a plugin is given at once. */
const BATCH_MAX = 1000;

interface Open {
  /** Tells whether the open connection is still that of the stored configuration. */
  readonly fingerprint: string;
  readonly plugin: DatabasePlugin;
}

/**
 * The live connections of one mount, by name. One is opened on first use and replaced when its stored configuration has
 * changed, by this process or another.
 */
export class Connections {
  readonly #context: MountContext;
  readonly #findPlugin: PluginFinder;
  readonly #open = new Map<string, Open>();
  readonly #paces = new Map<string, RevocationPace>();

  constructor(context: MountContext, findPlugin: PluginFinder) {
    this.#context = context;
    this.#findPlugin = findPlugin;
  }

  /** Chooses a new user's name. @throws ApiError 400 for a template that does not work. */
  async chooseUsername(config: ConnectionConfig, displayName: string, roleName: string): Promise<string> {
    const type = await this.#findPlugin(config.pluginName);
    return usernameFor(type, config, displayName, roleName, this.#context);
  }

  /** Chooses a name that nobody has: a connection's own template could give one that is somebody's. */
  async probeUsername(config: ConnectionConfig, roleName: string): Promise<string> {
    const type = await this.#findPlugin(config.pluginName);
    return usernameFor(type, { ...config, details: {} }, "preflight", roleName, this.#context);
  }

  /** How this kind of database is driven. @throws ApiError 400 for an unknown one. */
  typeOf({ pluginName }: ConnectionConfig): Promise<DatabasePluginType> {
    return this.#findPlugin(pluginName);
  }

  /** Whether it can be tried if a user logs in, without which there are no static roles. */
  async canTryLogins(config: ConnectionConfig): Promise<boolean> {
    const plugin = await this.create(config);
    await plugin.close();
    return plugin.verifyLogin !== undefined || takesLogins(config);
  }

  /**
   * Tries to log in as a user of a connection's server, over a connection of its own.
   * @throws ApiError 400 when no connection of that name was ever configured; DatabaseError when the server could not be asked.
   */
  verifyLogin(name: string, { username, password }: Login): Promise<LoginOutcome> {
    return this.use(name, async (plugin) => {
      if (plugin.verifyLogin !== undefined) return plugin.verifyLogin(username, password);
      const config = await this.#configOf(name);
      return tryLogin(await this.create({ ...config, details: { ...config.details, username, password } }));
    });
  }

  /** Makes an unconnected plugin for a configuration. @throws ApiError 400 for details that are wrong. */
  async create(config: ConnectionConfig): Promise<DatabasePlugin> {
    const type = await this.#findPlugin(config.pluginName);
    revocationsPerSecond(config.details);
    const { clock, random, log } = this.#context;
    return type.open(config.details, { clock, random, log });
  }

  /**
   * Works with a connection's administrator. When the login is refused while a root rotation is under way, that is settled
   * first (either password may be the one in force), and the work is tried once more; so it is when a rotation has ended since
   * the configuration was read.
   * @throws ApiError 400 when no connection of that name was ever configured; whatever the work throws.
   */
  async use<T>(name: string, work: (plugin: DatabasePlugin) => Promise<T>): Promise<T> {
    const plugin = await this.#plugin(name);
    try {
      return await work(plugin);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind !== "auth") throw error;
      if (await this.#settle(name)) await this.close(name);
      const next = await this.#plugin(name);
      if (next === plugin) throw error;
      return await work(next);
    }
  }

  /** True: there was a rotation under way, which this process, or another at the same time, has taken further. */
  async #settle(name: string): Promise<boolean> {
    try {
      return await settleRotation(this.#context, this, name);
    } catch (error) {
      if (hasCode(error, "STORE_CONFLICT")) return true;
      throw error;
    }
  }

  /**
   * Makes users of one connection gone, at the pace that is good for its server.
   * @returns One outcome for each, in order. @throws whatever stands in the way of all of them.
   */
  async revoke(name: string, users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    const perSecond = await this.#revocationsPerSecond(name);
    const pace = this.#paces.get(name) ?? new RevocationPace(this.#context.clock, this.#context.random);
    this.#paces.set(name, pace);
    const size = perSecond > 0 ? Math.min(perSecond, BATCH_MAX) : BATCH_MAX;
    const outcomes: RevokeOutcome[] = [];
    for (let start = 0; start < users.length; start += size) {
      const batch = users.slice(start, start + size);
      await pace.spend(batch.length, perSecond);
      const done = await pace.turn(() => this.use(name, (plugin) => plugin.deleteUsers(batch)));
      outcomes.push(...done);
    }
    return outcomes;
  }

  async #revocationsPerSecond(name: string): Promise<number> {
    const config = await readConfigForRevocation(this.#context.storage, name);
    return config === null ? 0 : revocationsPerSecond(config.details);
  }

  /** Begins to connect, where nothing is connected yet. What goes wrong is met by the use that follows. */
  async warm(name: string): Promise<void> {
    try {
      await (await this.#plugin(name)).warm?.();
    } catch (error) {
      this.#context.log.debug("a database connection was not prepared", { error: messageOf(error) });
    }
  }

  async #configOf(name: string): Promise<ConnectionConfig> {
    const config = await readConfigForRevocation(this.#context.storage, name);
    if (config !== null) return config;
    throw badRequest(`failed to find entry for connection with name: "${name}"`);
  }

  async #plugin(name: string): Promise<DatabasePlugin> {
    const config = await this.#configOf(name);
    const fingerprint = JSON.stringify([config.pluginName, config.details]);
    const present = this.#open.get(name);
    if (present?.fingerprint === fingerprint) return present.plugin;
    await this.close(name);
    const plugin = await this.create(config);
    this.#open.set(name, { fingerprint, plugin });
    return plugin;
  }

  /** Ends the connection of that name; it is opened again on next use. */
  async close(name: string): Promise<void> {
    const present = this.#open.get(name);
    this.#open.delete(name);
    try {
      await present?.plugin.close();
    } catch (error) {
      // What matters is that it is not used any more; the server ends it in its own time.
      this.#context.log.debug("a database connection did not close cleanly", { error: messageOf(error) });
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((name) => this.close(name)));
  }
}

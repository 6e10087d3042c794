import type { Backend } from "../framework/backend.ts";

/** The core's own backends, by their path with its trailing slash. Each is loaded when it is first needed. */
export class Builtins {
  readonly #loaders: ReadonlyMap<string, () => Promise<Backend>>;
  readonly #loaded = new Map<string, Promise<Backend>>();

  constructor(loaders: Readonly<Record<string, () => Promise<Backend>>>) {
    this.#loaders = new Map(Object.entries(loaders));
  }

  /** Their paths. */
  get paths(): readonly string[] {
    return [...this.#loaders.keys()];
  }

  /** The path of the one that a request is for. Null: none. */
  pathFor(requestPath: string): string | null {
    return this.paths.find((path) => requestPath.startsWith(path) || `${requestPath}/` === path) ?? null;
  }

  /** @param path - One of {@link Builtins.paths}. */
  at(path: string): Promise<Backend> {
    const loaded = this.#loaded.get(path) ?? this.#loaders.get(path)?.();
    if (loaded === undefined) throw new TypeError(`the core has no backend at ${path}`);
    this.#loaded.set(path, loaded);
    return loaded;
  }
}

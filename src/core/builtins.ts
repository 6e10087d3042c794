import type { Backend } from "../framework/backend.ts";

/** The core's own backends, by their path with its trailing slash. Each is made when it is first needed. */
export class Builtins {
  readonly #makers: ReadonlyMap<string, () => Backend>;
  readonly #made = new Map<string, Backend>();

  constructor(makers: Readonly<Record<string, () => Backend>>) {
    this.#makers = new Map(Object.entries(makers));
  }

  /** Their paths. */
  get paths(): readonly string[] {
    return [...this.#makers.keys()];
  }

  /** The path of the one that a request is for. Null: none. */
  pathFor(requestPath: string): string | null {
    return this.paths.find((path) => requestPath.startsWith(path) || `${requestPath}/` === path) ?? null;
  }

  /** @param path - One of {@link Builtins.paths}. */
  at(path: string): Backend {
    const made = this.#made.get(path) ?? this.#makers.get(path)?.();
    if (made === undefined) throw new TypeError(`the core has no backend at ${path}`);
    this.#made.set(path, made);
    return made;
  }
}

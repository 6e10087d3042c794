/**
 * Flags as data. One declaration gives parsing, help, man pages and completions.
 * Names are without dashes, and are what users type after `-` or `--`.
 */
interface FlagText {
  readonly text: string;
  /** Further names for the same flag: `f` for `force`. */
  readonly aliases?: readonly string[];
  /** The environment variable that gives the default, for help; reading it is the command's affair. */
  readonly env?: string;
}

/** A flag with a value of its own. */
export type Flag =
  | (FlagText & { readonly kind: "string"; readonly words?: readonly string[] })
  | (FlagText & {
      readonly kind: "bool";
      readonly default?: boolean;
      /**
       * Lets a value that is no boolean stand for `true` and one more argument: `-prefix=database/creds/x`.
       * Vault refuses that spelling, but its users write it.
       */
      readonly attachedArgument?: true;
    })
  | (FlagText & { readonly kind: "optional-bool" })
  | (FlagText & { readonly kind: "int" })
  | (FlagText & { readonly kind: "duration" })
  | (FlagText & { readonly kind: "list" })
  | (FlagText & { readonly kind: "map" });

export type Flags = Readonly<Record<string, Flag>>;

/** The type of a flag's parsed value. Durations are whole seconds, and -1 for `system`. */
export type FlagValue<F extends Flag> = F["kind"] extends "bool"
  ? boolean
  : F["kind"] extends "optional-bool"
    ? boolean | undefined
    : F["kind"] extends "int" | "duration"
      ? number | undefined
      : F["kind"] extends "list"
        ? readonly string[]
        : F["kind"] extends "map"
          ? Readonly<Record<string, string>>
          : string | undefined;

/** The parsed values of a set of flags. */
export type FlagValues<F extends Flags> = { readonly [K in keyof F]: FlagValue<F[K]> };

/** True for flags that stand alone (`-force`), whose value can only be attached (`-force=false`). */
export function isBoolean(flag: Flag): boolean {
  return flag.kind === "bool" || flag.kind === "optional-bool";
}

const TYPE_WORDS: Readonly<Record<Flag["kind"], string>> = {
  string: "string",
  bool: "",
  "optional-bool": "",
  int: "int",
  duration: "duration",
  list: "string",
  map: "key=value",
};

/** How help shows a flag: `-field=<string>`, `-force`. */
export function flagSignature(name: string, flag: Flag): string {
  const type = TYPE_WORDS[flag.kind];
  return type === "" ? `-${name}` : `-${name}=<${type}>`;
}

/** Finds a flag by its name or by one of its further names. */
export function findFlag(flags: Flags, name: string): readonly [string, Flag] | undefined {
  const exact = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (exact !== undefined) return [name, exact];
  return Object.entries(flags).find(([, flag]) => flag.aliases?.includes(name) === true);
}

/** A value of the template language. */
export type TemplateValue = string | number | boolean;

/** Wider fields are refused rather than padded. */
const WIDTH_MAX = 1024;

interface Directive {
  readonly verb: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

/** The name of a value's type in Go, as its messages have it. */
export function goTypeOf(value: TemplateValue): "string" | "int" | "bool" {
  if (typeof value === "string") return "string";
  return typeof value === "number" ? "int" : "bool";
}

/**
 * Formats as Go's `fmt.Sprintf` does with strings, ints and bools: the verbs `s v q d x X o b c t %`, flags, width and
 * precision. A directive that does not fit its value is written out as Go does: `%!d(string=abc)`, `%!s(MISSING)`.
 * @throws SyntaxError for what is left out: widths taken from arguments (`*`), argument indexes (`[1]`), widths over 1024.
 */
export function formatGo(format: string, args: readonly TemplateValue[]): string {
  let used = 0;
  const text = format.replace(
    /%([-+# 0]*)(\d*)(?:\.(\d*))?([\s\S]?)/gu,
    (_all, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (verb === "") return "%!(NOVERB)";
      if (verb === "*" || verb === "[") {
        throw new SyntaxError(`printf: ${JSON.stringify(verb)} in a format is not supported`);
      }
      const arg = args[used++];
      if (arg === undefined) return `%!${verb}(MISSING)`;
      const limits = {
        width: bounded(width),
        precision: precision === undefined ? undefined : bounded(precision),
      };
      return directive({ verb, flags, ...limits }, arg);
    },
  );
  const extra = args.slice(used).map((arg) => `${goTypeOf(arg)}=${arg}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(", ")})`;
}

function bounded(digits: string): number {
  const value = Number(digits);
  if (value > WIDTH_MAX) throw new SyntaxError(`printf: a width of more than ${WIDTH_MAX} is not supported`);
  return value;
}

function directive(spec: Directive, arg: TemplateValue): string {
  const bare =
    typeof arg === "string"
      ? stringVerb(spec, arg)
      : typeof arg === "number"
        ? intVerb(spec, arg)
        : boolVerb(spec, arg);
  if (bare === undefined) return `%!${spec.verb}(${goTypeOf(arg)}=${arg})`;
  const missing = spec.width - [...bare].length;
  if (missing <= 0) return bare;
  if (spec.flags.includes("-")) return bare + " ".repeat(missing);
  // Zeros go between a number's sign and its digits; a precision, which already asks for digits, turns them off.
  const zeros = typeof arg === "number" && spec.flags.includes("0") && spec.precision === undefined;
  if (!zeros) return " ".repeat(missing) + bare;
  const sign = /^[-+ ]?/.exec(bare)?.[0] ?? "";
  return sign + "0".repeat(missing) + bare.slice(sign.length);
}

function stringVerb({ verb, precision }: Directive, arg: string): string | undefined {
  const cut = precision === undefined ? arg : [...arg].slice(0, precision).join("");
  if (verb === "s" || verb === "v") return cut;
  if (verb === "q") return JSON.stringify(cut);
  if (verb !== "x" && verb !== "X") return undefined;
  const bytes = Buffer.from(arg, "utf8");
  const hex = (precision === undefined ? bytes : bytes.subarray(0, precision)).toString("hex");
  return verb === "x" ? hex : hex.toUpperCase();
}

const RADIX: Readonly<Record<string, number>> = { v: 10, d: 10, x: 16, X: 16, o: 8, b: 2 };

function intVerb({ verb, flags, precision }: Directive, arg: number): string | undefined {
  if (verb === "c") return arg >= 0 && arg <= 0x10ffff ? String.fromCodePoint(arg) : "\ufffd";
  const radix = Object.hasOwn(RADIX, verb) ? RADIX[verb] : undefined;
  if (radix === undefined) return undefined;
  const digits = Math.abs(arg)
    .toString(radix)
    .padStart(precision ?? 1, "0");
  const plus = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  return (arg < 0 ? "-" : plus) + (verb === "X" ? digits.toUpperCase() : digits);
}

function boolVerb({ verb }: Directive, arg: boolean): string | undefined {
  return verb === "t" || verb === "v" ? String(arg) : undefined;
}

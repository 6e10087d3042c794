import { type Body, elementsOf, type Item, type Key, type Value } from "../../base/hcl/ast.ts";
import { HclError, quoted } from "../../base/hcl/error.ts";
import { parseHcl } from "../../base/hcl/parse.ts";
import { alphabetOf, type PasswordRule, type PasswordRules } from "../../framework/password.ts";

const RULES_MAX = 100;
const ALPHABET_MAX = 256;
/** Letters, marks, numbers, punctuation, symbols, and of the spaces only the plain one: what Go calls printable. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/**
 * Reads a password policy, HCL 1 or JSON: `length`, and `rule "charset"` blocks with `charset` and `min-chars`. Unknown keys are
 * errors, so that a slip of the pen does not make weaker passwords than were meant.
 * @throws SyntaxError with Vault's text where it has one, else with line and column; nothing else, whatever the text.
 * @see reference: passwords, policy.
 */
export function parsePasswordPolicy(text: string): PasswordRules {
  let length = 0;
  const rules: PasswordRule[] = [];
  for (const item of elementsOf(parseHcl(text).entries)) {
    const [key, ...labels] = item.keys as [Key, ...Key[]];
    if (key.text === "length" && labels.length === 0) length = wholeNumber(key, item.value);
    else if (key.text === "rule") rules.push(...readRules(item, labels));
    else throw new HclError(`invalid key ${quoted(key.text)}`, key.at);
    if (rules.length > RULES_MAX) throw new HclError(`more than ${RULES_MAX} rules`, key.at);
  }
  const policy = { length, rules };
  check(policy);
  return policy;
}

/** @throws SyntaxError with Vault's texts. */
function check(policy: PasswordRules): void {
  const needed = policy.rules.reduce((sum, { minChars }) => sum + minChars, 0);
  if (policy.length <= 0) throw new SyntaxError("length must be > 0");
  if (policy.length < needed) {
    throw new SyntaxError(
      `specified rules require at least ${needed} characters but ${policy.length} is specified`,
    );
  }
  const alphabet = alphabetOf(policy);
  if (alphabet.length === 0) throw new SyntaxError("no charset specified");
  if (alphabet.length > ALPHABET_MAX) {
    throw new SyntaxError(`charset is too long: limited to ${ALPHABET_MAX} characters`);
  }
  if (!PRINTABLE.test(alphabet.join(""))) throw new SyntaxError("non-printable character in charset");
}

/** `rule "charset" { … }`, or, as JSON has it, `rule` with an object of types, or a list of such. */
function readRules(item: Item, labels: readonly Key[]): readonly PasswordRule[] {
  const [label, extra] = labels;
  if (extra !== undefined) throw new HclError("a rule has one type", extra.at);
  if (label !== undefined) return bodiesOf(item.value).map((body) => readRule(label, body));
  return bodiesOf(item.value).flatMap((body) =>
    elementsOf(body.entries).flatMap(({ keys, value }) => {
      const [type, ...more] = keys as [Key, ...Key[]];
      if (more[0] !== undefined) throw new HclError("a rule has one type", more[0].at);
      return bodiesOf(value).map((rule) => readRule(type, rule));
    }),
  );
}

function readRule(type: Key, body: Body): PasswordRule {
  if (type.text !== "charset") throw new HclError(`unknown rule type ${quoted(type.text)}`, type.at);
  let charset = "";
  let minChars = 0;
  for (const { keys, value } of elementsOf(body.entries)) {
    const [key] = keys as [Key, ...Key[]];
    if (key.text === "charset") charset = text(key, value);
    else if (key.text === "min-chars") minChars = wholeNumber(key, value);
    else throw new HclError(`invalid key ${quoted(key.text)} in a rule`, key.at);
  }
  if (charset === "") throw new HclError("a charset rule needs a charset", type.at);
  return { charset, minChars };
}

function text(key: Key, value: Value): string {
  if (value.kind === "string" || value.kind === "heredoc") return value.text;
  throw new HclError(`${key.text} must be a string`, value.at);
}

/** Vault takes a number in quotes too. */
function wholeNumber(key: Key, value: Value): number {
  const number = value.kind === "string" && /^\d{1,9}$/.test(value.text) ? Number(value.text) : undefined;
  const found = value.kind === "number" ? value.number : number;
  if (found !== undefined && Number.isSafeInteger(found) && found >= 0) return found;
  throw new HclError(`${key.text} must be a whole number, 0 or more`, value.at);
}

/** The bodies of a value that is an object, or, as JSON may have it, a list of them. */
function bodiesOf(value: Value): readonly Body[] {
  const values = value.kind === "list" ? elementsOf(value.entries) : [value];
  return values.map((it) => {
    if (it.kind !== "object") throw new HclError("expected a block", it.at);
    return it.body;
  });
}

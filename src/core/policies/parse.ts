import { type Body, elementsOf, type Item, type Key, type Value } from "../../base/hcl/ast.ts";
import { HclError, quoted } from "../../base/hcl/error.ts";
import { parseHcl } from "../../base/hcl/parse.ts";
import { readRule } from "./parse-rule.ts";
import type { Rule } from "./rule.ts";
import { hasTemplate, unbalancedBraces } from "./template.ts";

/** One `path` block. */
export interface Stanza {
  /** Without the leading slash; with templates as written. */
  readonly pattern: string;
  readonly isTemplated: boolean;
  readonly rule: Rule;
}

/** A policy's text, understood. */
export interface Policy {
  readonly stanzas: readonly Stanza[];
  /** True when some pattern depends on who the caller is. */
  readonly isTemplated: boolean;
}

/** `path` blocks of one policy. */
export const STANZAS_MAX = 20_000;
/** Characters of a pattern; no request's path is longer. */
export const PATTERN_CHARS_MAX = 4096;

/**
 * Reads a policy: HCL 1 or JSON. Unknown keys, capabilities and stanzas are errors, so that a slip of the pen does not
 * grant less, or more, than was meant.
 * @throws HclError with Vault's text, line and column; nothing else, whatever the text.
 * @see reference: policies, grammar.
 */
export function parsePolicy(text: string): Policy {
  const stanzas: Stanza[] = [];
  for (const item of elementsOf(parseHcl(text).entries)) {
    const [key, ...labels] = item.keys as [Key, ...Key[]];
    if (key.text === "path") {
      for (const stanza of readPathItem(item, labels)) {
        stanzas.push(stanza);
        if (stanzas.length > STANZAS_MAX) {
          throw new HclError(`more than ${STANZAS_MAX} paths in one policy`, key.at);
        }
      }
    } else if (key.text !== "name") {
      throw new HclError(`invalid key ${quoted(key.text)}`, key.at);
    }
  }
  return { stanzas, isTemplated: stanzas.some((stanza) => stanza.isTemplated) };
}

/** `path "x" { … }`, or, as JSON has it, `path` with an object of patterns. */
function readPathItem(item: Item, labels: readonly Key[]): readonly Stanza[] {
  const [label, extra] = labels;
  if (extra !== undefined)
    throw new HclError(`path ${quoted(label?.text ?? "")}: a path has one pattern`, extra.at);
  if (label !== undefined) return readStanzas(label, item.value);
  return objectsOf(item.value, "path").flatMap((body) =>
    elementsOf(body.entries).flatMap(({ keys, value }) => {
      const [pattern, more] = keys as [Key, ...Key[]];
      if (more !== undefined)
        throw new HclError(`path ${quoted(pattern.text)}: a path has one pattern`, more.at);
      return readStanzas(pattern, value);
    }),
  );
}

function readStanzas(key: Key, value: Value): readonly Stanza[] {
  const where = `path ${quoted(key.text)}`;
  const pattern = key.text.startsWith("/") ? key.text.slice(1) : key.text;
  if (pattern.length > PATTERN_CHARS_MAX) {
    throw new HclError(`${where}: longer than ${PATTERN_CHARS_MAX} characters`, key.at);
  }
  if (pattern.includes("+*")) {
    throw new HclError(`${where}: invalid use of wildcards ('+*' is forbidden)`, key.at);
  }
  if (unbalancedBraces(pattern)) throw new HclError(`${where}: unbalanced templating characters`, key.at);
  const isTemplated = hasTemplate(pattern);
  return objectsOf(value, where).map((body) => ({ pattern, isTemplated, rule: readRule(body, where) }));
}

/** The bodies of a value that is an object, or, as JSON may have it, a list of them. */
function objectsOf(value: Value, where: string): readonly Body[] {
  const values = value.kind === "list" ? elementsOf(value.entries) : [value];
  return values.map((it) => {
    if (it.kind !== "object") throw new HclError(`${where}: expected a block`, it.at);
    return it.body;
  });
}

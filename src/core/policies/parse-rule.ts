import { parseDurationMs } from "../../base/duration.ts";
import { type Body, elementsOf, type Key, type Value } from "../../base/hcl/ast.ts";
import { HclError, type Position, quoted } from "../../base/hcl/error.ts";
import type { Json } from "../../base/json.ts";
import { CAPABILITIES, type Capability, DENY, NOTHING, type ParameterValues, type Rule } from "./rule.ts";

/** What the words of the legacy `policy = "…"` stand for. @see reference: policies, grammar. */
const LEGACY: ReadonlyMap<string, readonly Capability[]> = new Map<string, readonly Capability[]>([
  ["deny", ["deny"]],
  ["read", ["read", "list"]],
  ["write", ["create", "read", "update", "delete", "list"]],
  ["sudo", ["create", "read", "update", "delete", "list", "sudo"]],
]);

/** Keys that ask for a check that vsec does not have. To ignore them would open what the author meant to close. */
const UNENFORCEABLE: ReadonlyMap<string, string> = new Map([
  ["mfa_methods", "there is no multi-factor authentication in vsec"],
  ["control_group", "there are no control groups in vsec"],
]);

/** What one key of the block says: its part of the rule. */
type Reader = (value: Value, where: string) => Partial<Rule>;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["capabilities", (value, where) => ({ capabilities: readCapabilities(value, where) })],
  ["policy", (value, where) => ({ capabilities: readLegacy(value, where) })],
  ["allowed_parameters", (value, where) => ({ allowed: readParameters(value, where) })],
  ["denied_parameters", (value, where) => ({ denied: readParameters(value, where) })],
  ["required_parameters", (value, where) => ({ required: readRequired(value, where) })],
  ["min_wrapping_ttl", (value, where) => ({ minWrappingTtlSeconds: readTtl(value, where) })],
  ["max_wrapping_ttl", (value, where) => ({ maxWrappingTtlSeconds: readTtl(value, where) })],
  ["subscribe_event_types", readEventTypes],
]);

/**
 * Reads the inside of a `path` block.
 * @param where - What messages begin with: `path "x"`.
 * @throws HclError for unknown or repeated keys, unknown capabilities, and values of the wrong type.
 */
export function readRule(body: Body, where: string): Rule {
  let rule = NOTHING;
  const seen = new Map<string, Key>();
  for (const { keys, value } of elementsOf(body.entries)) {
    const [key, label] = keys as [Key, ...Key[]];
    const read = READERS.get(key.text);
    const missing = UNENFORCEABLE.get(key.text);
    if (missing !== undefined)
      throw new HclError(`${where}: ${quoted(key.text)} cannot be kept: ${missing}`, key.at);
    if (read === undefined) throw new HclError(`${where}: invalid key ${quoted(key.text)}`, key.at);
    if (label !== undefined) throw new HclError(`${where}: ${quoted(key.text)} takes no label`, label.at);
    if (seen.has(key.text)) throw new HclError(`${where}: key ${quoted(key.text)} is given twice`, key.at);
    seen.set(key.text, key);
    rule = joinPart(rule, read(value, where));
  }
  const { minWrappingTtlSeconds: min, maxWrappingTtlSeconds: max } = rule;
  const maxKey = seen.get("max_wrapping_ttl");
  if (maxKey !== undefined && min > 0 && max > 0 && max < min) {
    throw new HclError(`${where}: max_wrapping_ttl cannot be less than min_wrapping_ttl`, maxKey.at);
  }
  return rule.capabilities.has("deny") ? DENY : rule;
}

/** What `policy` and `capabilities` grant is united; no other part comes twice. */
function joinPart(rule: Rule, part: Partial<Rule>): Rule {
  const { capabilities } = part;
  if (capabilities === undefined || rule.capabilities.size === 0) return { ...rule, ...part };
  return { ...rule, capabilities: new Set([...rule.capabilities, ...capabilities]) };
}

function isCapability(text: string): text is Capability {
  return (CAPABILITIES as readonly string[]).includes(text);
}

function readCapabilities(value: Value, where: string): ReadonlySet<Capability> {
  const capabilities = new Set<Capability>();
  for (const { text, at } of stringsOf(value, `${where}: "capabilities"`)) {
    if (!isCapability(text)) throw new HclError(`${where}: invalid capability ${quoted(text)}`, at);
    capabilities.add(text);
  }
  return capabilities;
}

function readLegacy(value: Value, where: string): ReadonlySet<Capability> {
  const words = value.kind === "string" ? LEGACY.get(value.text) : undefined;
  if (words !== undefined) return new Set(words);
  const shown = value.kind === "string" ? quoted(value.text) : `of the kind ${value.kind}`;
  throw new HclError(`${where}: invalid policy ${shown}`, value.at);
}

function readRequired(value: Value, where: string): ReadonlySet<string> {
  return new Set(stringsOf(value, `${where}: "required_parameters"`).map(({ text }) => text.toLowerCase()));
}

/** Events are not part of vsec: the key is checked and has no effect. */
function readEventTypes(value: Value, where: string): Partial<Rule> {
  stringsOf(value, `${where}: "subscribe_event_types"`);
  return {};
}

function stringsOf(value: Value, where: string): readonly { text: string; at: Position }[] {
  if (value.kind !== "list") throw new HclError(`${where} must be a list of strings`, value.at);
  return elementsOf(value.entries).map((element) => {
    if (element.kind === "string" || element.kind === "heredoc") return element;
    throw new HclError(`${where} must be a list of strings`, element.at);
  });
}

/** A duration in seconds, which may be a fraction: rounding 500ms to 0 would lift the bound. */
function readTtl(value: Value, where: string): number {
  const text = value.kind === "string" ? value.text : value.kind === "number" ? value.raw : undefined;
  const seconds = text === undefined ? Number.NaN : secondsOf(text);
  if (seconds >= 0) return seconds;
  throw new HclError(`${where}: a wrapping TTL must be a duration of 0 or more`, value.at);
}

function secondsOf(text: string): number {
  try {
    return parseDurationMs(text) / 1000;
  } catch (error) {
    if (error instanceof SyntaxError) return Number.NaN;
    throw error;
  }
}

/** A map from names to lists of values; in JSON also a list of such maps. */
function readParameters(value: Value, where: string): ParameterValues {
  const parameters = new Map<string, readonly Json[]>();
  const bodies = value.kind === "list" ? elementsOf(value.entries) : [value];
  for (const body of bodies) {
    if (body.kind !== "object") throw new HclError(`${where}: parameters must be a map of lists`, body.at);
    for (const { keys, value: list } of elementsOf(body.body.entries)) {
      const [key, label] = keys as [Key, ...Key[]];
      if (label !== undefined || list.kind !== "list") {
        throw new HclError(`${where}: parameter ${quoted(key.text)} must have a list of values`, key.at);
      }
      const name = key.text.toLowerCase();
      if (parameters.has(name)) {
        throw new HclError(`${where}: parameter ${quoted(key.text)} is given twice`, key.at);
      }
      parameters.set(name, elementsOf(list.entries).map(jsonOf));
    }
  }
  return parameters;
}

function jsonOf(value: Value): Json {
  switch (value.kind) {
    case "string":
    case "heredoc":
      return value.text;
    case "number":
      return value.number;
    case "bool":
      return value.bool;
    case "null":
      return null;
    case "list":
      return elementsOf(value.entries).map(jsonOf);
    case "object":
      // Defines own properties only, whatever the names are.
      return Object.fromEntries(
        elementsOf(value.body.entries).map(({ keys, value: inner }): [string, Json] => [
          keys.map(({ text }) => text).join(" "),
          jsonOf(inner),
        ]),
      );
  }
}

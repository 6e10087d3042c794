import type { IdentityAlias, IdentityGroup, IdentityView } from "./identity-view.ts";

const TEMPLATE = /\{\{(.*?)\}\}/gs;

/** True when the text has a template that stands for something of the caller's. */
export function hasTemplate(text: string): boolean {
  return text.includes("{{");
}

/** True when some `{{` has no `}}` of its own, or the other way round. */
export function unbalancedBraces(text: string): boolean {
  const parts = text.split("{{");
  if (parts[0]?.includes("}}")) return true;
  return parts.slice(1).some((part) => part.split("}}").length !== 2);
}

/**
 * Puts the caller's identity into a pattern.
 * @returns Null when a template cannot be resolved: no entity, no such key, not a member of the group. Also when what it
 *   stands for is empty or holds `*` or `+`: a name that people choose must not become a wildcard.
 * @see reference: policies, templates.
 */
export function fillTemplate(pattern: string, identity: IdentityView | null): string | null {
  let isResolved = true;
  const filled = pattern.replace(TEMPLATE, (_raw, inner: string) => {
    const value = identity === null ? undefined : selected(inner.trim(), identity);
    if (value === undefined || value === "" || /[*+]/.test(value)) isResolved = false;
    return value ?? "";
  });
  return isResolved ? filled : null;
}

function selected(selector: string, identity: IdentityView): string | undefined {
  const entity = after(selector, "identity.entity.");
  if (entity !== undefined) return entityValue(entity, identity);
  const groupId = after(selector, "identity.groups.ids.");
  if (groupId !== undefined)
    return groupValue(groupId, (name) => identity.groups.find(({ id }) => id === name));
  const groupName = after(selector, "identity.groups.names.");
  if (groupName === undefined) return undefined;
  return groupValue(groupName, (wanted) => identity.groups.find(({ name }) => name === wanted));
}

/** What follows the prefix; undefined when the text does not begin with it. */
function after(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

function entityValue(rest: string, identity: IdentityView): string | undefined {
  if (rest === "id") return identity.id;
  if (rest === "name") return identity.name;
  const key = after(rest, "metadata.");
  if (key !== undefined) return own(identity.metadata, key);
  const alias = after(rest, "aliases.");
  const dot = alias?.indexOf(".") ?? -1;
  if (alias === undefined || dot === -1) return undefined;
  const accessor = alias.slice(0, dot);
  const found = identity.aliases.find(({ mountAccessor }) => mountAccessor === accessor);
  return found === undefined ? undefined : aliasValue(alias.slice(dot + 1), found);
}

function aliasValue(rest: string, alias: IdentityAlias): string | undefined {
  if (rest === "id") return alias.id;
  if (rest === "name") return alias.name;
  const key = after(rest, "metadata.");
  if (key !== undefined) return own(alias.metadata, key);
  const custom = after(rest, "custom_metadata.");
  return custom === undefined ? undefined : own(alias.customMetadata, custom);
}

/** `WHICH.name`, `WHICH.id` or `WHICH.metadata.KEY`. */
function groupValue(rest: string, find: (which: string) => IdentityGroup | undefined): string | undefined {
  const dot = rest.indexOf(".");
  const group = dot === -1 ? undefined : find(rest.slice(0, dot));
  if (group === undefined) return undefined;
  const what = rest.slice(dot + 1);
  if (what === "id") return group.id;
  if (what === "name") return group.name;
  const key = after(what, "metadata.");
  return key === undefined ? undefined : own(group.metadata, key);
}

/** Metadata may lack a key that every object inherits. */
function own(metadata: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(metadata, key) ? metadata[key] : undefined;
}

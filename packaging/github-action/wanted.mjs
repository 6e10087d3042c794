// The input `secrets`: which values of which paths are wanted, and under which names.

/**
 * Reads lines of the form `PATH FIELD | NAME`. Blank ones, and those that begin with #, say nothing.
 * @returns {{ path: string, field: string, name: string }[]}
 * @throws Error that names the line.
 */
export function parseWanted(text) {
  const wanted = text
    .split(/[\n;]/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseLine);
  if (wanted.length === 0)
    throw new Error("secrets: nothing is wanted; write one line for each: PATH FIELD | NAME");
  const names = wanted.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new Error(`secrets: two values would be named ${twice}; name them with | NAME`);
  return wanted;
}

function parseLine(line) {
  const [left = "", name, ...more] = line.split("|").map((part) => part.trim());
  const [path = "", field, ...rest] = left.split(/\s+/);
  if (field === undefined || rest.length > 0 || more.length > 0 || name === "")
    throw new Error(`secrets: ${JSON.stringify(line)} is not of the form PATH FIELD | NAME`);
  const chosen = name ?? `${path.split("/").at(-1)}_${field}`.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(chosen))
    throw new Error(`secrets: ${JSON.stringify(chosen)} cannot be the name of a variable`);
  return { path, field, name: chosen };
}

/** The value of a field in an answer's data; that of a key/value secret with versions lies one level deeper. */
export function fieldOf(data, field) {
  const inner =
    data?.data !== null && typeof data?.data === "object" && "metadata" in data ? data.data : data;
  const value = Object.hasOwn(inner ?? {}, field) ? inner[field] : undefined;
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

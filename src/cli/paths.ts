/** A data path as requests carry it: no blanks or slashes at its ends. */
export function dataPath(text: string): string {
  return text.replace(/^[\s/]+|[\s/]+$/g, "");
}

/** A mount's path as messages show it: exactly one slash at the end. */
export function mountPath(text: string): string {
  return `${dataPath(text)}/`;
}

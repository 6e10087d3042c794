/**
 * Whether a policy's pattern can match a path at or below a mount, so that its holder may know of the mount.
 * @param mountPath - With its trailing slash.
 */
export function reachesMount(pattern: string, mountPath: string): boolean {
  const isPrefix = pattern.endsWith("*");
  const segments = (isPrefix ? pattern.slice(0, -1) : pattern).split("/");
  const wanted = mountPath.slice(0, -1).split("/");
  const last = segments.length - 1;
  return wanted.every((segment, index) => {
    const own = segments[index];
    if (own === undefined) return isPrefix;
    if (isPrefix && index === last) return segment.startsWith(own);
    return own === "+" || own === segment;
  });
}

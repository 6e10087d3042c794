/**
 * Whether a caller may use what is bound to these blocks; an empty list binds nothing, and loads nothing: every command
 * passes here.
 * @param remoteAddress - Null: a caller on this machine without an address, which counts as the loopback's.
 */
export async function isWithinCidrs(
  cidrs: readonly string[],
  remoteAddress: string | null,
): Promise<boolean> {
  if (cidrs.length === 0) return true;
  const { isAddressIn } = await import("../../base/cidr.ts");
  return isAddressIn(remoteAddress, cidrs);
}

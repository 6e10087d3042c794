import type { CoreWorld } from "../../core/world.ts";

/** The users of preflights that are on record in a world's store: under way, or left and to be dropped. */
export async function probesOnRecord(world: CoreWorld): Promise<readonly string[]> {
  const { entries } = await world.barrier.scan("mount/", { limit: 1000 });
  return entries
    .filter(({ key }) => key.includes("/probe-users/"))
    .map(({ key }) => decodeURIComponent(key.split("/").at(-1) ?? ""));
}

/** The warnings of an answer; none: it has no body, or they are null. */
export function warningsOf({ body }: { readonly body: unknown }): readonly string[] {
  return (body as { readonly warnings?: readonly string[] | null } | null)?.warnings ?? [];
}

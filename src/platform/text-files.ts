import { chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";

/**
 * Replaces a text file in one step: it is written beside its place and moved there, so it is never half written. A link
 * stays one, and the file it points to keeps its mode; a new file gets 0644.
 * @param mode - Given: the file's mode from then on, old or new. The text is never to be seen with another.
 * @throws What the file system says, with its `code`.
 */
export async function replaceTextFile(path: string, text: string, mode?: number): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const finalMode =
    mode ??
    (await stat(target).then(
      (stats) => stats.mode & 0o777,
      () => 0o644,
    ));
  const draft = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: "wx" });
    // Apart from creating it, where the process's mask would take bits away.
    await chmod(draft, finalMode);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}

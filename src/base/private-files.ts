/** How {@link PrivateFiles.read} looks at a path. */
export interface PrivateRead {
  /** A larger file is refused. */
  readonly bytesMax: number;
  /** Whether the path may be a symbolic link; false unless given. */
  readonly followLinks?: boolean;
}

/** Small files that hold keys, as a port: nobody but their owner can read them, and they are replaced whole or not at all. */
export interface PrivateFiles {
  /**
   * Null: absent.
   * @throws STORE_PERMISSIONS when others may read or write it, or it is someone else's (neither ours nor root's);
   *   FILE when it is a link, not a regular file, too large, or cannot be read.
   */
  read(path: string, options: PrivateRead): Uint8Array | null;
  /** Writes with mode 0600, durably. @throws FILE when it cannot be written, or is there already and `replace` is false. */
  write(path: string, data: Uint8Array, options: { readonly replace: boolean }): void;
  /** False: there was no such file. @throws FILE */
  remove(path: string): boolean;
  /** Creates the directory and what is missing above it, with mode 0700. @throws STORE_PERMISSIONS when it is there and others may write to it. */
  makeDirectory(path: string): void;
  /** True when what is written to this directory stays in memory and is gone after a restart. */
  isInMemory(directory: string): boolean;
}

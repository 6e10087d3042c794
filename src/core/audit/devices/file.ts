import { type BigIntStats, constants, fstatSync, fsyncSync, readSync, statSync } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../../base/clock.ts";
import { systemReason, VsecError } from "../../../base/errors.ts";
import { Batches } from "./batches.ts";
import type { FileOptions } from "./options.ts";
import type { AuditDevice } from "./port.ts";

const NEW_FILE_MODE = 0o600;
const LINE_END = 0x0a;
/** A line without an end that does not grow for this long is nobody's any more. */
const TORN_LOOKS = 5;
const TORN_LOOK_MS = 10;

interface OpenFile {
  readonly handle: FileHandle;
  readonly device: bigint;
  readonly inode: bigint;
  /** False for pipes and device files, which can be neither read back nor synced. */
  readonly isRegular: boolean;
}

/**
 * Appends to a file that other processes append to as well: each piece goes out as one write in append mode, and is on the
 * disk before {@link AuditDevice.write} resolves. A file that was moved away or deleted is made anew.
 */
export class FileDevice implements AuditDevice {
  readonly #path: string;
  readonly #mode: number;
  readonly #clock: Clock;
  readonly #batches = new Batches((text) => this.#append(Buffer.from(text, "utf8")));
  #file: OpenFile | undefined;

  constructor({ path, mode }: FileOptions, clock: Clock) {
    this.#path = path;
    this.#mode = mode;
    this.#clock = clock;
  }

  async open(): Promise<void> {
    await this.#batches.idle();
    await this.#current();
  }

  write(lines: string): Promise<void> {
    return this.#batches.add(lines);
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  async close(): Promise<void> {
    await this.#batches.idle();
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      await this.#appendOnce(bytes);
    } catch {
      // Whatever was wrong with the open file may not be with a new one. Lines of a piece that failed halfway may come
      // twice: that is better than never.
      try {
        await this.#letGo();
        await this.#appendOnce(bytes);
      } catch (error) {
        throw new VsecError("FILE", `cannot write ${this.#path}: ${systemReason(error)}`, { cause: error });
      }
    }
  }

  async #appendOnce(bytes: Buffer): Promise<void> {
    const file = await this.#current();
    const whole = (await isTorn(file, this.#clock)) ? Buffer.concat([Buffer.of(LINE_END), bytes]) : bytes;
    for (let at = 0; at < whole.length; ) {
      const { bytesWritten } = await file.handle.write(whole, at, whole.length - at, null);
      if (bytesWritten === 0) throw new VsecError("FILE", "nothing more could be written");
      at += bytesWritten;
    }
    if (!file.isRegular) return;
    await file.handle.datasync();
    // Deleted between the look at the path and the write: the lines are on a disk, and nobody can read them.
    if (fstatSync(file.handle.fd).nlink === 0) throw new VsecError("FILE", "it was deleted meanwhile");
  }

  /** The file that the path names now, opened. */
  async #current(): Promise<OpenFile> {
    const file = this.#file;
    const there = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (file !== undefined && there?.dev === file.device && there.ino === file.inode) return file;
    await this.#letGo();
    this.#file = await this.#openAnew(there);
    return this.#file;
  }

  async #openAnew(there: BigIntStats | undefined): Promise<OpenFile> {
    if (there === undefined) await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    // Read access is for the look at the last byte; a pipe opened for reading would hold itself open.
    const access = there === undefined || there.isFile() ? constants.O_RDWR : constants.O_WRONLY;
    // Without O_NONBLOCK a pipe that nobody reads would wait for a reader.
    const flags = access | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;
    const handle = await open(this.#path, flags, this.#mode || NEW_FILE_MODE);
    try {
      const stats = await handle.stat({ bigint: true });
      const isRegular = stats.isFile();
      const isOther = (Number(stats.mode) & 0o777) !== this.#mode;
      if (isRegular && isOther && this.#mode !== 0) await handle.chmod(this.#mode);
      if (isRegular && there === undefined) await syncDirectory(dirname(this.#path));
      return { handle, device: stats.dev, inode: stats.ino, isRegular };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/**
 * Whether the last line has no end: somebody died, or the disk was full, in the middle of it. A line that is being written
 * right now may look the same for a moment, so what has no end is looked at again, until it has one or nothing moves.
 */
async function isTorn({ handle, isRegular }: OpenFile, clock: Clock): Promise<boolean> {
  if (!isRegular) return false;
  let end = lookAtEnd(handle);
  for (let look = 1; end.isOpen && look < TORN_LOOKS; look += 1) {
    await clock.sleep(TORN_LOOK_MS);
    const now = lookAtEnd(handle);
    // Somebody is at work on it, and ends what he begins.
    if (now.size !== end.size) return false;
    end = now;
  }
  return end.isOpen;
}

function lookAtEnd(handle: FileHandle): { readonly size: number; readonly isOpen: boolean } {
  const { size } = fstatSync(handle.fd);
  const last = Buffer.alloc(1);
  const isOpen = size > 0 && readSync(handle.fd, last, 0, 1, size - 1) === 1 && last[0] !== LINE_END;
  return { size, isOpen };
}

/** Makes a new file's name last. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    fsyncSync(directory.fd);
  } finally {
    await directory.close();
  }
}

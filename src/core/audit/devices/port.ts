/** Where audit lines go. */
export interface AuditDevice {
  /** Makes the device ready, so that what stands in its way is known before the first line. @throws VsecError FILE or BACKEND. */
  open(): Promise<void>;
  /**
   * Takes whole lines, each with its line end. Resolves when they are as safe as this device can make them.
   * @throws VsecError FILE or BACKEND when they are not.
   */
  write(lines: string): Promise<void>;
  /** Lets go of what is open and opens it anew, as after a rotation. @throws VsecError FILE or BACKEND. */
  reopen(): Promise<void>;
  /** Waits for what is being written, and lets go. */
  close(): Promise<void>;
}

/** Writes text to the process's standard output. Resolves when the text has left. */
export type Console = (text: string) => Promise<void>;

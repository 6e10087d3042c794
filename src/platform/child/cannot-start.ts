import { systemReason, VsecError } from "../../base/errors.ts";

/** Thrown for a program that was found and cannot be started: one for another kind of machine. */
export class CannotStart extends VsecError {
  constructor(file: string, cause: unknown) {
    super("FILE", `cannot start ${file}: ${systemReason(cause)}`, { cause });
  }
}

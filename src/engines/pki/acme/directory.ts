import { type FieldSpec, field } from "../../../framework/field.ts";

/** Which directory of a mount a client works with: it decides what issues, and by which role. */
export interface Directory {
  /** Empty: the role's, else the default issuer. */
  readonly issuerRef: string;
  /** Empty: none is named. */
  readonly role: string;
}

/** What each directory's paths begin with. */
export const DIRECTORY_PATTERNS = [
  "acme",
  "roles/:role/acme",
  "issuer/:issuer_ref/acme",
  "issuer/:issuer_ref/roles/:role/acme",
] as const;

/** The fields that a pattern's names stand for. */
export function directoryFields(pattern: string): Readonly<Record<string, FieldSpec<string>>> {
  return {
    ...(pattern.includes(":issuer_ref")
      ? {
          issuer_ref: field.string({
            description: "The issuer: its id, its name, or default.",
            required: true,
          }),
        }
      : {}),
    ...(pattern.includes(":role")
      ? { role: field.string({ description: "The role that certificates are issued by.", required: true }) }
      : {}),
  };
}

/** The directory that a request's path names. */
export function directoryOf(values: Readonly<Record<string, unknown>>): Directory {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return { issuerRef: text(values.issuer_ref), role: text(values.role) };
}

/** Below the mount: `roles/web/acme`. */
export function directoryPath({ issuerRef, role }: Directory): string {
  const issuer = issuerRef === "" ? "" : `issuer/${issuerRef}/`;
  return `${issuer}${role === "" ? "" : `roles/${role}/`}acme`;
}

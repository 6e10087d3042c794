/**
 * How names of one kind are held against a CA's constraints (RFC 5280 section 4.2.1.10). Verifiers do not agree about every
 * name: what is permitted has to be so for all of them, what is excluded is refused if one of them could take it so.
 */
export interface NameForm {
  /** The kind, for messages: `DNS name`. */
  readonly label: string;
  /** A name or a constraint, for messages. */
  show(bytes: Buffer): string;
  /** Whether bytes are a constraint at all. One that is none spoils all others of its kind for some verifiers. */
  isBase(base: Buffer): boolean;
  /** Why a name can be compared with no constraint; null: it can. */
  problemOf(name: Buffer): string | null;
  /** Whether every verifier finds the name within the constraint. */
  permits(base: Buffer, name: Buffer): boolean;
  /** Whether some verifier may find the name, or what it stands for, within the constraint. */
  excludes(base: Buffer, name: Buffer): boolean;
}

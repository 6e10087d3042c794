/** Who a caller is, as far as templates in policies can name it. Made by the identity store; null in its place: nobody known. */
export interface IdentityView {
  /** The entity's id. */
  readonly id: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly aliases: readonly IdentityAlias[];
  /** The groups the entity is a member of. */
  readonly groups: readonly IdentityGroup[];
}

/** The entity as one auth method knows it. */
export interface IdentityAlias {
  readonly id: string;
  readonly name: string;
  readonly mountAccessor: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly customMetadata: Readonly<Record<string, string>>;
}

export interface IdentityGroup {
  readonly id: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What tokens ask the identity store. */
export interface TokenIdentity {
  /** The policies that an entity and its groups give; none for an empty or unknown id. */
  policiesOf(entityId: string): Promise<readonly string[]>;
  /** The id of the entity that an alias of the token method stands for, made when there is none yet. */
  entityForAlias(name: string): Promise<string>;
}

/** The policy that new tokens get unless they ask not to. It is what a store without a `default` of its own has. */
export const DEFAULT_POLICY = `# What every token may do unless it was made without this policy.

# Its own token: look, prolong, end.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# Ask what it may do.
path "sys/capabilities-self" {
  capabilities = ["update"]
}

path "sys/internal/ui/resultant-acl" {
  capabilities = ["read"]
}

# See the entity that it belongs to.
path "identity/entity/id/{{identity.entity.id}}" {
  capabilities = ["read"]
}

path "identity/entity/name/{{identity.entity.name}}" {
  capabilities = ["read"]
}

# Look up and prolong leases whose ids it knows; the first path is the older name of the second.
path "sys/renew" {
  capabilities = ["update"]
}

path "sys/leases/renew" {
  capabilities = ["update"]
}

path "sys/leases/lookup" {
  capabilities = ["update"]
}

# Give back leases of its own before their time.
path "sys/leases/release" {
  capabilities = ["update"]
}

# A place of its own, which ends with it.
path "cubbyhole/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}

# Wrap answers, and open what was wrapped for it.
path "sys/wrapping/wrap" {
  capabilities = ["update"]
}

path "sys/wrapping/lookup" {
  capabilities = ["update"]
}

path "sys/wrapping/unwrap" {
  capabilities = ["update"]
}

# Hash data.
path "sys/tools/hash" {
  capabilities = ["update"]
}

path "sys/tools/hash/*" {
  capabilities = ["update"]
}

# Follow a request of its own that waits for approval.
path "sys/control-group/request" {
  capabilities = ["update"]
}

# Log in to applications through an OpenID Connect provider.
path "identity/oidc/provider/+/authorize" {
  capabilities = ["read", "update"]
}
`;

/** What a wrapping token may do: be unwrapped. Nobody writes it, and listings do not show it. */
export const RESPONSE_WRAPPING_POLICY = `path "cubbyhole/response" {
  capabilities = ["create", "read"]
}

path "sys/wrapping/unwrap" {
  capabilities = ["update"]
}
`;

/** The texts of policies that are there without being stored. A stored `default` goes before. */
export const BUILTIN_TEXTS: ReadonlyMap<string, string> = new Map([
  ["default", DEFAULT_POLICY],
  ["response-wrapping", RESPONSE_WRAPPING_POLICY],
]);

/** Policies that cannot be written or deleted. */
export const IMMUTABLE: readonly string[] = ["root", "response-wrapping"];

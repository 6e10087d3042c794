import type { AuthType } from "../framework/auth.ts";

/** The auth methods that can be enabled. A new one is a folder here and a line in this table. */
export const AUTH_METHODS: readonly AuthType[] = [
  {
    type: "approle",
    description: "Roles for machines, with a role id and a secret id",
    load: async () => (await import("./approle/backend.ts")).approleMethod,
  },
  {
    type: "jwt",
    description: "Signed identity tokens of CI systems and other issuers",
    load: async () => (await import("./jwt/backend.ts")).jwtMethod,
  },
  {
    type: "userpass",
    description: "Users with passwords",
    load: async () => (await import("./userpass/backend.ts")).userpassMethod,
  },
];

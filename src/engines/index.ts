import type { EngineType } from "../framework/backend.ts";

/** The secrets engines that can be enabled. A new one is a folder here and a line in this table. */
export const ENGINES: readonly EngineType[] = [
  {
    type: "database",
    description: "Database users that live as long as their lease",
    load: async () => {
      const [{ databaseEngine }, { findPlugin }] = await Promise.all([
        import("./database/backend.ts"),
        import("./database/plugins/index.ts"),
      ]);
      return databaseEngine(findPlugin);
    },
  },
  {
    type: "kv",
    description: "Secrets that people and programs write, with versions",
    load: async () => (await import("./kv/backend.ts")).kvEngine,
  },
  {
    type: "transit",
    description: "Encryption and signatures with keys that stay here",
    load: async () => (await import("./transit/backend.ts")).transitEngine,
  },
  {
    type: "totp",
    description: "One-time codes, given and checked",
    load: async () => (await import("./totp/backend.ts")).totpEngine,
  },
  {
    type: "ssh",
    description: "SSH certificates, and passwords for one login",
    load: async () => (await import("./ssh/backend.ts")).sshEngine,
  },
  {
    type: "aws",
    description: "AWS users and tokens that live as long as their lease",
    load: async () => (await import("./aws/backend.ts")).awsEngine(),
  },
];

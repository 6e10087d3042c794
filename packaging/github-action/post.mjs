// The action's end, which runs however the job ended: the token that was made is revoked, and with it all that it has issued.
import { fail, savedState } from "./runner.mjs";
import { connection, vsec } from "./vsec.mjs";

const token = savedState("token");
if (token !== "") {
  try {
    const settings = connection(savedState("address"), savedState("caCert"));
    await vsec(savedState("program"), ["token", "revoke", "-self"], { token, settings });
    process.stdout.write("the job's token is revoked, and every credential that it has issued\n");
  } catch (error) {
    fail(error.message);
  }
}

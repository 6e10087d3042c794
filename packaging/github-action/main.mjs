// The action's step: logs in, reads, masks, hands on.
import { exportVariable, fail, identityToken, input, mask, saveState, setOutput } from "./runner.mjs";
import { connection, vsec } from "./vsec.mjs";
import { fieldOf, parseWanted } from "./wanted.mjs";

async function logIn(program, settings) {
  const given = input("token");
  if (given !== "") {
    mask(given);
    return given;
  }
  const role = input("role");
  if (role === "") throw new Error("role: name a role of the JWT auth method, or give a token");
  const jwt = await identityToken(input("audience") || "vsec");
  mask(jwt);
  const path = `auth/${input("auth-path") || "jwt"}/login`;
  const args = ["write", "-field=token", path, `role=${role}`, "jwt=-"];
  const token = (await vsec(program, args, { stdin: jwt, settings })).trim();
  mask(token);
  // Before anything is issued: whatever happens from here on, the post step revokes it.
  saveState("token", token);
  return token;
}

async function main() {
  const wanted = parseWanted(input("secrets"));
  const program = input("vsec") || "vsec";
  const settings = connection(input("address"), input("ca-cert"));
  saveState("program", program);
  saveState("address", settings.VSEC_ADDR ?? "");
  saveState("caCert", settings.VSEC_CACERT ?? "");
  const token = await logIn(program, settings);
  const answers = new Map();
  const leases = [];
  for (const { path, field, name } of wanted) {
    if (!answers.has(path)) {
      const answer = JSON.parse(await vsec(program, ["read", "-format=json", path], { token, settings }));
      answers.set(path, answer.data ?? {});
      // What is leased under the job's own token ends with it. A token that somebody gave goes on after the job.
      if (answer.lease_id) leases.push(answer.lease_id);
      if (input("token") !== "") saveState("leases", leases.join("\n"));
    }
    const value = fieldOf(answers.get(path), field);
    if (value === undefined) throw new Error(`secrets: ${path} has no field ${JSON.stringify(field)}`);
    mask(value);
    setOutput(name, value);
    if (input("export-env") !== "false") exportVariable(name, value);
  }
}

try {
  await main();
} catch (error) {
  fail(error.message);
}

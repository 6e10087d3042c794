import { expect, test } from "bun:test";
import { CoreWorld, dataOf, errorOf } from "../../../core/world.ts";

async function configured(url: string) {
  const world = await CoreWorld.create();
  await world.put("sys/mounts/database", { type: "database" });
  const written = await world.put("database/config/my", {
    plugin_name: "mysql-database-plugin",
    verify_connection: false,
    connection_url: url,
    username: "u",
    password: "from-the-parameters",
  });
  return { world, written, shown: await world.get("database/config/my") };
}

test("a literal password in a connection_url is warned of and not shown", async () => {
  const { written, shown } = await configured("bob:s3cr@t@tcp(db:3306)/app");
  expect(written.body).toMatchObject({
    warnings: [expect.stringContaining("Password found in connection_url")],
  });
  const details = dataOf(shown).connection_details;
  expect(details).toMatchObject({ connection_url: "bob:xxxxx@tcp(db:3306)/app", username: "u" });
  expect(JSON.stringify(shown)).not.toContain("from-the-parameters");
});

test("a password that would stay in the connection_url is not rotated", async () => {
  const { world } = await configured("bob:s3cr@t@tcp(db:3306)/app");
  const text =
    "unable to rotate root credentials: connection_url has a password of its own; put {{password}} in its place";
  for (const [path, body] of [
    ["database/rotate-root/my", {}],
    ["database/config/my", { rotation_period: "24h" }],
  ] as const) {
    const answer = await world.put(path, body);
    expect({ status: answer.status, error: errorOf(answer) }).toEqual({ status: 400, error: text });
  }
});

test("a templated one is shown as it is", async () => {
  const url = "{{username}}:{{password}}@tcp(db:3306)/";
  const { written, shown } = await configured(url);
  expect(written).toEqual({ status: 204, body: null });
  expect(dataOf(shown).connection_details).toMatchObject({ connection_url: url });
});

test.each([
  ["{{random", "unable to initialize username template: unable to parse template: "],
  ["{{.Nope}}", "invalid username template: unable to apply template: "],
])("the template %p is refused when it is configured", async (template, text) => {
  const world = await CoreWorld.create();
  await world.put("sys/mounts/database", { type: "database" });
  const written = await world.put("database/config/my", {
    plugin_name: "mysql-database-plugin",
    verify_connection: false,
    connection_url: "{{username}}:{{password}}@tcp(db)/",
    username_template: template,
  });
  expect(written.status).toBe(400);
  expect(errorOf(written)).toStartWith(`error creating database object: ${text}`);
});

test("a grace for sessions that the plugin does not give is warned of", async () => {
  const world = await CoreWorld.create();
  await world.put("sys/mounts/database", { type: "database" });
  const connection = { plugin_name: "mysql-database-plugin", verify_connection: false };
  await world.put("database/config/my", {
    ...connection,
    connection_url: "{{username}}:{{password}}@tcp(db)/",
  });
  const written = await world.put("database/roles/app", { db_name: "my", session_grace: "10s" });
  expect(written.body).toMatchObject({
    warnings: ['session_grace: plugin "mysql-database-plugin" ends sessions at once'],
  });
  expect((await world.put("database/roles/app", { max_ttl: "1h" })).status).toBe(204);
});

test("what is wrong with a connection is said when it is configured", async () => {
  const { written } = await configured("{{username}}:{{password}}@tcp(db:3306)");
  expect(written.status).toBe(400);
  expect(errorOf(written)).toStartWith(
    "error creating database object: connection_url is invalid: missing the slash",
  );
});

import { describe, expect, test } from "bun:test";
import { empty, envelope, refused, sent } from "./fake-world.ts";

describe("commands about secrets engines", () => {
  const defaults = {
    description: "",
    config: { options: null, default_lease_ttl: "0s", max_lease_ttl: "0s", force_no_cache: false },
    local: false,
    seal_wrap: false,
    external_entropy_access: false,
    options: null,
  };

  test("enable mounts at the type", async () => {
    const ran = await sent(["secrets", "enable", "database"], { answers: [empty] });
    expect(ran.requests).toEqual([
      { method: "POST", path: "sys/mounts/database", body: { type: "database", ...defaults } },
    ]);
    expect(ran.stdout).toBe("Success! Enabled the database secrets engine at: database/\n");
    const unnamed = await sent(["secrets", "enable", "-path=", "database"], { answers: [empty] });
    expect(unnamed.requests).toEqual(ran.requests);
  });

  test("enable passes on what is given", async () => {
    const args = [
      "secrets",
      "enable",
      "-path=/kv/",
      "-version=2",
      "-options=a=b",
      "-default-lease-ttl=1h",
      "-max-lease-ttl",
      "1d",
      "-description=mine",
      "-audit-non-hmac-request-keys=x",
      "-listing-visibility=unauth",
      "-local",
      "kv",
    ];
    const ran = await sent(args, { answers: [empty] });
    expect(ran.requests[0]).toEqual({
      method: "POST",
      path: "sys/mounts/kv",
      body: {
        ...defaults,
        type: "kv",
        description: "mine",
        config: {
          ...defaults.config,
          default_lease_ttl: "1h0m0s",
          max_lease_ttl: "24h0m0s",
          audit_non_hmac_request_keys: ["x"],
          listing_visibility: "unauth",
        },
        local: true,
        options: { a: "b", version: "2" },
      },
    });
  });

  test("enable reports a refusal, and has no -format", async () => {
    const ran = await sent(["secrets", "enable", "kv"], {
      answers: [refused(400, "path is already in use at kv/")],
    });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toStartWith(
      "Error enabling: Error making API request.\n\nURL: POST vsec://local/v1/sys/mounts/kv\n",
    );
    const formatted = await sent(["secrets", "enable", "-format=json", "kv"]);
    expect([formatted.exitCode, formatted.stderr]).toEqual([1, "flag provided but not defined: -format\n"]);
  });

  test("disable names the mount with one slash", async () => {
    const ran = await sent(["secrets", "disable", "db/"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "DELETE", path: "sys/mounts/db" }]);
    expect(ran.stdout).toBe("Success! Disabled the secrets engine (if it existed) at: db/\n");
  });

  /** What an answer warns of is for people too: leases that could not be revoked when their mount went. */
  const warned = envelope({ data: null, warnings: ["2 of its leases could not be revoked yet"] });
  test.each([
    "secrets disable db",
    "auth disable approle",
    "secrets tune db",
    "auth tune approle",
    "secrets enable database",
    "auth enable approle",
    "policy delete reader",
    "audit enable file",
    "audit disable file",
    "token revoke hvs.x",
    "kv enable-versioning kv",
  ])("%s shows the warnings of its answer", async (line) => {
    const ran = await sent(line.split(" "), { answers: [warned] });
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toStartWith("Success! ");
    expect(ran.stderr).toContain("* 2 of its leases could not be revoked yet");
  });

  test("tune leaves alone what is not given, and knows the way back to the default", async () => {
    const plain = await sent(["secrets", "tune", "-default-lease-ttl=90s", "db"], { answers: [empty] });
    expect(plain.requests).toEqual([
      { method: "POST", path: "sys/mounts/db/tune", body: { default_lease_ttl: "1m30s", max_lease_ttl: "" } },
    ]);
    expect(plain.stdout).toBe("Success! Tuned the secrets engine at: db/\n");
    const back = await sent(["secrets", "tune", "-max-lease-ttl=system", "-description=", "db"], {
      answers: [empty],
    });
    expect(back.requests[0]?.body).toEqual({
      default_lease_ttl: "",
      max_lease_ttl: "system",
      description: "",
    });
  });

  const mounts = envelope({
    data: {
      "sys/": { type: "system", accessor: "system_1", description: "", config: {}, options: null },
      "db/": {
        type: "database",
        accessor: "database_2",
        description: "the db",
        uuid: "u",
        config: { default_lease_ttl: 0, max_lease_ttl: 3600 },
        options: { version: "2" },
        local: true,
      },
    },
  });

  test("list is sorted by path", async () => {
    const ran = await sent(["secrets", "list"], { answers: [mounts] });
    expect(ran.requests).toEqual([{ method: "GET", path: "sys/mounts" }]);
    expect(ran.stdout).toBe(`Path    Type        Accessor      Description
----    ----        --------      -----------
db/     database    database_2    the db
sys/    system      system_1      n/a
`);
  });

  test("list -detailed has Vault's columns, and JSON the same with or without it", async () => {
    const ran = await sent(["secrets", "list", "-detailed"], { answers: [mounts] });
    const [header, , first, second] = ran.stdout.split("\n").map((line) => line.split(/ {4,}/));
    expect(header).toEqual(
      "Path,Plugin,Accessor,Default TTL,Max TTL,Force No Cache,Replication,Seal Wrap,External Entropy Access,Options,Description,UUID,Version,Running Version,Running SHA256,Deprecation Status".split(
        ",",
      ),
    );
    expect(first?.slice(0, 12)).toEqual(
      "db/,database,database_2,system,3600,false,local,false,false,map[version:2],the db,u".split(","),
    );
    expect(second?.slice(3, 7)).toEqual(["n/a", "n/a", "false", "replicated"]);
    const json = await sent(["secrets", "list", "-format=json"], { answers: [mounts] });
    const detailed = await sent(["secrets", "list", "-format=json", "-detailed"], { answers: [mounts] });
    expect(detailed.stdout).toBe(json.stdout);
    expect(Object.keys(JSON.parse(json.stdout)["db/"])).toEqual(
      "uuid type description accessor config options local seal_wrap external_entropy_access plugin_version running_plugin_version running_sha256 deprecation_status".split(
        " ",
      ),
    );
  });

  test("list takes no argument", async () => {
    const ran = await sent(["secrets", "list", "x"]);
    expect([ran.exitCode, ran.stderr]).toEqual([1, "Too many arguments (expected 0, got 1)\n"]);
  });

  const moved = envelope({ data: { migration_id: "m1" } });
  const status = (text: string) => envelope({ data: { migration_info: { status: text } } });

  test("move waits until it is done", async () => {
    const answers = [moved, status("in-progress"), status("success")];
    const ran = await sent(["secrets", "move", "a", "b/"], { answers });
    expect(ran.requests).toEqual([
      { method: "POST", path: "sys/remount", body: { from: "a/", to: "b/" } },
      { method: "GET", path: "sys/remount/status/m1" },
      { method: "GET", path: "sys/remount/status/m1" },
    ]);
    expect(ran.sleptMs).toEqual([10_000]);
    expect(ran.stdout).toBe(`Started moving secrets engine a/ to b/, with migration ID m1
Waiting for terminal status in migration of secrets engine a/ to b/, with migration ID m1
Success! Finished moving secrets engine a/ to b/, with migration ID m1
`);
  });

  test("move warns of leases that could not be revoked, not of what it has waited for", async () => {
    const left = "1 of its leases could not be revoked yet";
    const queued = "Mount move has been queued. Progress will be reported in the daemon's log.";
    const begun = envelope({ data: { migration_id: "m1" }, warnings: [queued, left] });
    const ran = await sent(["secrets", "move", "a", "b"], { answers: [begun, status("success")] });
    expect(ran.stderr).toContain(`  * ${left}`);
    const quiet = envelope({ data: { migration_id: "m1" }, warnings: [queued] });
    expect((await sent(["secrets", "move", "a", "b"], { answers: [quiet, status("success")] })).stderr).toBe(
      "",
    );
  });

  test("a move that fails says so on standard error, and exits with 0 as in Vault", async () => {
    const ran = await sent(["secrets", "move", "a", "b"], { answers: [moved, status("failure")] });
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toBe(
      "Failure! Error encountered moving secrets engine a/ to b/, with migration ID m1\n",
    );
  });
});

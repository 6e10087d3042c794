import { describe, expect, test } from "bun:test";
import { denied, empty, envelope, refused, sent } from "./fake-world.ts";

const MOUNTS = envelope({
  data: {
    "token/": {
      type: "token",
      accessor: "auth_token_1",
      description: "token based credentials",
      config: { default_lease_ttl: 0, max_lease_ttl: 0, token_type: "default-service" },
      options: null,
      uuid: "u1",
      plugin_version: "",
    },
    "ci/": {
      type: "jwt",
      accessor: "auth_jwt_2",
      description: "",
      config: { default_lease_ttl: 3600, max_lease_ttl: 7200, token_type: "batch" },
      options: { a: "b" },
      uuid: "u2",
      local: true,
      plugin_version: "v1.2.3",
    },
    request_id: "not a mount",
  },
});

describe("commands about auth methods", () => {
  const defaults = {
    description: "",
    config: { options: null, default_lease_ttl: "0s", max_lease_ttl: "0s" },
    local: false,
    seal_wrap: false,
    external_entropy_access: false,
    options: null,
  };

  test("enable mounts at the type", async () => {
    const ran = await sent(["auth", "enable", "approle"], { answers: [empty] });
    expect(ran.requests).toEqual([
      { method: "POST", path: "sys/auth/approle", body: { type: "approle", ...defaults } },
    ]);
    expect(ran.stdout).toBe("Success! Enabled approle auth method at: approle/\n");
  });

  test("enable passes on what is given", async () => {
    const args =
      "-path=/ci/ -description=mine -default-lease-ttl=1h -max-lease-ttl 1d -token-type=batch -listing-visibility=unauth -plugin-version=v1 -options=a=b -local jwt";
    const ran = await sent(["auth", "enable", ...args.split(" ")], { answers: [empty] });
    expect(ran.requests).toEqual([
      {
        method: "POST",
        path: "sys/auth/ci",
        body: {
          ...defaults,
          type: "jwt",
          description: "mine",
          config: {
            options: null,
            default_lease_ttl: "1h0m0s",
            max_lease_ttl: "24h0m0s",
            token_type: "batch",
            listing_visibility: "unauth",
            plugin_version: "v1",
          },
          local: true,
          options: { a: "b" },
        },
      },
    ]);
    expect(ran.stdout).toBe("Success! Enabled jwt auth method version v1 at: ci/\n");
  });

  test("enable reports a refusal, and has neither -format nor -force-no-cache", async () => {
    const answers = [refused(400, "path is already in use at jwt/")];
    const ran = await sent(["auth", "enable", "jwt"], { answers });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toStartWith("Error enabling jwt auth: Error making API request.\n\nURL: POST ");
    for (const flag of ["-format", "-force-no-cache"]) {
      const unknown = await sent(["auth", "enable", flag, "jwt"]);
      expect([unknown.exitCode, unknown.stderr]).toEqual([1, `flag provided but not defined: ${flag}\n`]);
    }
  });

  test("disable names the mount with one slash", async () => {
    const ran = await sent(["auth", "disable", "ci"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "DELETE", path: "sys/auth/ci" }]);
    expect(ran.stdout).toBe("Success! Disabled the auth method (if it existed) at: ci/\n");
    const bad = await sent(["auth", "disable", "token/"], { answers: [denied] });
    expect([bad.exitCode, bad.stderr.split(":")[0]]).toEqual([2, "Error disabling auth method at token/"]);
  });

  test("list is sorted by path, and tells the version", async () => {
    const ran = await sent(["auth", "list"], { answers: [MOUNTS] });
    expect(ran.requests).toEqual([{ method: "GET", path: "sys/auth" }]);
    expect(ran.stdout).toBe(`Path      Type     Accessor        Description                Version
----      ----     --------        -----------                -------
ci/       jwt      auth_jwt_2      n/a                        v1.2.3
token/    token    auth_token_1    token based credentials    n/a
`);
    const bad = await sent(["auth", "list"], { answers: [denied] });
    expect(bad.stderr).toStartWith("Error listing enabled authentications: ");
  });

  test("list -detailed has the columns of auth methods, and JSON the same with or without it", async () => {
    const ran = await sent(["auth", "list", "-detailed"], { answers: [MOUNTS] });
    const [header, , first, second] = ran.stdout.split("\n").map((line) => line.split(/ {4,}/));
    expect(header?.join(",")).toBe(
      "Path,Plugin,Accessor,Default TTL,Max TTL,Token Type,Replication,Seal Wrap,External Entropy Access,Options,Description,UUID,Version,Running Version,Running SHA256,Deprecation Status",
    );
    expect(first?.slice(0, 13).join(",")).toBe(
      "ci/,jwt,auth_jwt_2,3600,7200,batch,local,false,false,map[a:b],n/a,u2,v1.2.3",
    );
    expect(second?.slice(3, 6).join(",")).toBe("system,system,default-service");
    const json = await sent(["auth", "list", "-format=json"], { answers: [MOUNTS] });
    const detailed = await sent(["auth", "list", "-format=json", "-detailed"], { answers: [MOUNTS] });
    expect(detailed.stdout).toBe(json.stdout);
    expect(Object.keys(JSON.parse(json.stdout))).toEqual(["ci/", "token/"]);
    expect(JSON.parse(json.stdout)["ci/"].config.token_type).toBe("batch");
  });

  test("move is that of secrets engines with another name, and adds no prefix", async () => {
    const moved = envelope({ data: { migration_id: "m1" } });
    const status = (text: string) => envelope({ data: { migration_info: { status: text } } });
    const args = ["auth", "move", "auth/a", "auth/b/"];
    const ran = await sent(args, { answers: [moved, status("in-progress"), status("success")] });
    expect(ran.requests[0]).toEqual({
      method: "POST",
      path: "sys/remount",
      body: { from: "auth/a/", to: "auth/b/" },
    });
    expect(ran.stdout).toBe(`Started moving auth method auth/a/ to auth/b/, with migration ID m1
Waiting for terminal status in migration of auth method auth/a/ to auth/b/, with migration ID m1
Success! Finished moving auth method auth/a/ to auth/b/, with migration ID m1
`);
    const failed = await sent(args, { answers: [moved, status("failure")] });
    expect([failed.exitCode, failed.stderr]).toEqual([
      0,
      "Failure! Error encountered moving auth method auth/a/ to auth/b/, with migration ID m1\n",
    ]);
    const refusal = await sent(args, { answers: [denied] });
    expect(refusal.stderr).toStartWith("Error moving auth method auth/a/ to auth/b/: ");
    const poll = await sent(args, { answers: [moved, denied] });
    expect(poll.stderr).toStartWith("Error checking migration status of auth method auth/a/ to auth/b/: ");
  });

  test("tune sends only what was given", async () => {
    const plain = await sent(["auth", "tune", "-max-lease-ttl=system", "ci/"], { answers: [empty] });
    expect(plain.requests).toEqual([
      {
        method: "POST",
        path: "sys/mounts/auth/ci/tune",
        body: { default_lease_ttl: "", max_lease_ttl: "system" },
      },
    ]);
    expect(plain.stdout).toBe("Success! Tuned the auth method at: ci/\n");
    const args =
      "-token-type=service -description= -user-lockout-threshold=10 -user-lockout-duration=10m -user-lockout-counter-reset-duration=1h -user-lockout-disable=false ci";
    const all = await sent(["auth", "tune", ...args.split(" ")], { answers: [empty] });
    expect(all.requests[0]?.body).toEqual({
      default_lease_ttl: "",
      max_lease_ttl: "",
      description: "",
      token_type: "service",
      user_lockout_config: {
        lockout_threshold: "10",
        lockout_duration: "10m0s",
        lockout_counter_reset_duration: "1h0m0s",
        lockout_disable: false,
      },
    });
    const bad = await sent(["auth", "tune", "x"], { answers: [denied] });
    expect(bad.stderr).toStartWith("Error tuning auth method x/: ");
  });

  test("help of a type asks nobody; that of a path looks up the type", async () => {
    for (const type of ["approle", "jwt", "token", "userpass"]) {
      const ran = await sent(["auth", "help", type]);
      expect([ran.exitCode, ran.requests]).toEqual([0, []]);
      expect(ran.stdout).toStartWith("Usage: vsec login ");
      expect(ran.stdout).toContain("\n\nConfiguration:\n\n  ");
    }
    const path = await sent(["auth", "help", "ci"], { answers: [MOUNTS] });
    expect(path.requests).toEqual([{ method: "GET", path: "sys/auth" }]);
    expect(path.stdout).toBe((await sent(["auth", "help", "jwt"])).stdout);
  });

  test("help of what is not there, and of what has none", async () => {
    const none = await sent(["auth", "help", "x"], { answers: [MOUNTS] });
    expect([none.exitCode, none.stderr]).toEqual([1, 'No auth method available on the server at "x/"\n']);
    const mounts = envelope({ data: { "corp/": { type: "ldap", config: {} } } });
    const other = await sent(["auth", "help", "corp"], { answers: [mounts] });
    expect([other.exitCode, other.stderr]).toEqual([
      2,
      'No method-specific CLI handler available for auth method "corp"\n',
    ]);
  });
});

describe("commands about audit devices", () => {
  test("enable passes on its options as text", async () => {
    const args = ["audit", "enable", "file", "file_path=/var/log/a.log", "@more.json"];
    const files = { "more.json": '{"log_raw": false, "mode": 600}' };
    const ran = await sent(args, { files, answers: [empty] });
    expect(ran.requests).toEqual([
      {
        method: "PUT",
        path: "sys/audit/file",
        body: {
          type: "file",
          description: "",
          options: { file_path: "/var/log/a.log", log_raw: "false", mode: "600" },
          local: false,
        },
      },
    ]);
    expect(ran.stdout).toBe("Success! Enabled the file audit device at: file/\n");
    const named = await sent(["audit", "enable", "-path=/out/", "-description=d", "-local", "file"], {
      answers: [empty],
    });
    expect(named.requests[0]).toEqual({
      method: "PUT",
      path: "sys/audit/out",
      body: { type: "file", description: "d", options: {}, local: true },
    });
    expect(named.stdout).toBe("Success! Enabled the file audit device at: out/\n");
  });

  const refusals: [string[], string][] = [
    [
      [],
      "Error enabling audit device: audit type missing. Valid types include 'file', 'socket' and 'syslog'.",
    ],
    [["file", "x"], 'Failed to parse K=V data: invalid key/value pair "x": format must be key=value'],
    [
      ["file", "a=1", "a=2"],
      'Failed to parse K=V data: failed to convert values to strings: "a" has to be one string',
    ],
  ];
  test.each(refusals)("enable %j is refused before anything is sent", async (args, text) => {
    const ran = await sent(["audit", "enable", ...args]);
    expect([ran.exitCode, ran.stderr, ran.requests]).toEqual([1, `${text}\n`, []]);
  });

  test("disable", async () => {
    const ran = await sent(["audit", "disable", "file"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "DELETE", path: "sys/audit/file" }]);
    expect(ran.stdout).toBe("Success! Disabled audit device (if it was enabled) at: file/\n");
    const bad = await sent(["audit", "disable", "file"], { answers: [denied] });
    expect([bad.exitCode, bad.stderr.split(":")[0]]).toEqual([2, "Error disabling audit device"]);
    const enable = await sent(["audit", "enable", "file"], { answers: [denied] });
    expect([enable.exitCode, enable.stderr.split(":")[0]]).toEqual([2, "Error enabling audit device"]);
  });

  const devices = envelope({
    data: {
      "out/": { type: "file", description: "", options: { prefix: "x", file_path: "stdout" }, local: true },
      "file/": { type: "file", description: "d", options: null, local: false, path: "file/" },
    },
  });

  test("list is sorted by path, and tells more when asked", async () => {
    const ran = await sent(["audit", "list"], { answers: [devices] });
    expect(ran.requests).toEqual([{ method: "GET", path: "sys/audit" }]);
    expect(ran.stdout).toBe(
      "Path     Type    Description\n----     ----    -----------\nfile/    file    d\nout/     file    n/a\n",
    );
    const detailed = await sent(["audit", "list", "-detailed"], { answers: [devices] });
    expect(detailed.stdout).toBe(`Path     Type    Description    Replication    Options
----     ----    -----------    -----------    -------
file/    file    d              replicated     n/a
out/     file    n/a            local          file_path=stdout prefix=x
`);
    const json = await sent(["audit", "list", "-format=json"], { answers: [devices] });
    expect(JSON.stringify(JSON.parse(json.stdout))).toBe(
      '{"file/":{"type":"file","description":"d","options":null,"local":false,"path":"file/"},"out/":{"type":"file","description":"","options":{"file_path":"stdout","prefix":"x"},"local":true,"path":""}}',
    );
  });

  test("no device is exit 2 for people, and an empty object for programs", async () => {
    const answers = [envelope({ data: {} })];
    const people = await sent(["audit", "list"], { answers });
    expect([people.exitCode, people.stdout, people.stderr]).toEqual([
      2,
      "No audit devices are enabled.\n",
      "",
    ]);
    const programs = await sent(["audit", "list", "-format=json"], { answers });
    expect([programs.exitCode, programs.stdout]).toEqual([0, "{}\n"]);
    const bad = await sent(["audit", "list"], { answers: [denied] });
    expect([bad.exitCode, bad.stderr.split(":")[0]]).toEqual([2, "Error listing audits"]);
  });
});

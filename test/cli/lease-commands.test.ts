import { describe, expect, test } from "bun:test";
import type { ApiResponse } from "../../src/contract/wire.ts";
import { denied, envelope, ok, refused, sent } from "./fake-world.ts";

describe("commands about leases", () => {
  test("lookup shows a lease's times", async () => {
    const data = {
      id: "a/b",
      ttl: 3605,
      renewable: true,
      last_renewal: null,
      expire_time: "2024-05-01T10:00:00Z",
    };
    const ran = await sent(["lease", "lookup", "a/b"], { answers: [envelope({ data })] });
    expect(ran.requests).toEqual([{ method: "PUT", path: "sys/leases/lookup", body: { lease_id: "a/b" } }]);
    expect(ran.stdout).toBe(`Key             Value
---             -----
expire_time     2024-05-01T10:00:00Z
id              a/b
last_renewal    <nil>
renewable       true
ttl             1h5s
`);
  });

  test("lookup's own errors", async () => {
    expect((await sent(["lease", "lookup"])).stderr).toBe("Missing ID!\n");
    expect((await sent(["lease", "lookup", "a", "b"])).stderr).toBe(
      "Too many arguments (expected 1, got 2)\n",
    );
    const unknown = await sent(["lease", "lookup", "X"], { answers: [refused(400, "invalid lease")] });
    expect([unknown.exitCode, unknown.stderr.split(":")[0]]).toEqual([2, "error looking up lease id X"]);
  });

  test("renew sends whole seconds", async () => {
    const answer = envelope({ lease_id: "a/b", lease_duration: 3600, renewable: true });
    const ran = await sent(["lease", "renew", "-increment=1h", "a/b"], { answers: [answer] });
    expect(ran.requests).toEqual([
      { method: "PUT", path: "sys/leases/renew", body: { lease_id: "a/b", increment: 3600 } },
    ]);
    expect(ran.stdout).toBe(
      "Key                Value\n---                -----\nlease_id           a/b\nlease_duration     1h\nlease_renewable    true\n",
    );
    const short = await sent(["lease", "renew", "-increment=900ms", "a/b"], { answers: [answer] });
    expect(short.requests[0]?.body).toEqual({ lease_id: "a/b", increment: 0 });
  });

  test("renew's own errors", async () => {
    expect((await sent(["lease", "renew"])).stderr).toBe("Missing ID!\n");
    expect((await sent(["lease", "renew", "a", "b", "c"])).stderr).toBe(
      "Too many arguments (expected 1-2, got 3)\n",
    );
    const unknown = await sent(["lease", "renew", "X"], { answers: [refused(400, "lease not found")] });
    expect(unknown.stderr).toStartWith("Error renewing X: ");
  });

  const queued = { status: 202, body: null };
  const all = "All revocation operations queued successfully!\n";
  const forms: [string[], string, unknown, string][] = [
    [["a/b"], "revoke/a/b", { sync: false }, all],
    [["-sync", "a/b"], "revoke/a/b", { sync: true }, "Success! Revoked lease: a/b\n"],
    [["-prefix", "a"], "revoke-prefix/a", { sync: false }, all],
    [["-prefix=a"], "revoke-prefix/a", { sync: false }, all],
    [["a", "-prefix"], "revoke-prefix/a", { sync: false }, all],
    [
      ["-prefix", "-sync", "a"],
      "revoke-prefix/a",
      { sync: true },
      "Success! Revoked any leases with prefix: a\n",
    ],
    [
      ["-force", "-prefix", "a"],
      "revoke-force/a",
      undefined,
      "Success! Force revoked any leases with prefix: a\n",
    ],
    [
      ["-f", "-prefix=a", "-sync"],
      "revoke-force/a",
      undefined,
      "Success! Force revoked any leases with prefix: a\n",
    ],
  ];
  test.each(forms)("revoke %j", async (args, path, body, stdout) => {
    const ran = await sent(["lease", "revoke", ...args], { answers: [queued] });
    expect(ran.requests).toEqual([
      { method: "PUT", path: `sys/leases/${path}`, ...(body === undefined ? {} : { body: body as never }) },
    ]);
    expect([ran.exitCode, ran.stdout]).toEqual([0, stdout]);
    expect(ran.stderr === "").toBe(!path.startsWith("revoke-force"));
  });

  test.each(["a/b", "-prefix a", "-force -prefix a"])("revoke %s says what it left", async (args) => {
    const answer = { ...envelope({ warnings: ["one is left"] }), status: 202 };
    const ran = await sent(["lease", "revoke", ...args.split(" ")], { answers: [answer] });
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).not.toBe("");
    expect(ran.stderr).toContain(
      "WARNING! The following warnings were returned from vsec:\n\n  * one is left",
    );
  });

  test("revoke -force warns first, and needs -prefix", async () => {
    const ran = await sent(["lease", "revoke", "-force", "-prefix", "a"], { answers: [denied] });
    expect(ran.stderr).toStartWith("Warning! Force-removing leases can cause vsec to become out of sync");
    expect(ran.stderr).toContain("Error force revoking leases with prefix a: ");
    const alone = await sent(["lease", "revoke", "-force", "a"]);
    expect([alone.exitCode, alone.stderr]).toEqual([
      1,
      "Specifying -force requires also specifying -prefix\n",
    ]);
  });

  describe("on a terminal, revoke -prefix", () => {
    const part = (data: Record<string, string | number>) => envelope({ data });
    const watched = (answers: ApiResponse[], ...args: string[]) =>
      sent(["lease", "revoke", "-prefix", ...args, "a"], { answers, stderrIsTTY: true });

    test("goes part by part, shows how far it is, and clears the line at the end", async () => {
      const first = part({ revoked: 500, failed: 0, total: 700, next: "cursor" });
      const ran = await watched([first, part({ revoked: 200, failed: 0 })]);
      expect(ran.requests.map(({ body }) => body)).toEqual([
        { sync: true, part: true },
        { sync: true, part: true, after: "cursor" },
      ]);
      const line = ran.stderr.replace(/about \d+ s/, "about N s");
      expect(line).toBe("\rRevoked 500 of 700 leases (about N s left)\u001b[K\r\u001b[K");
      expect([ran.exitCode, ran.stdout]).toEqual([0, all]);
    });

    test("leaves failures, refusals, and servers without parts to the request that is sent anyway", async () => {
      const rest = refused(400, 'failed to revoke "a/b": away');
      for (const [answer, last] of [
        [part({ revoked: 1, failed: 1, total: 2 }), rest],
        [denied, denied],
        [queued, queued],
      ] as const) {
        const ran = await watched([answer, last], "-sync");
        expect(ran.requests.map(({ body }) => body)).toEqual([{ sync: true, part: true }, { sync: true }]);
        expect(ran.exitCode).toBe(last === queued ? 0 : 2);
      }
    });

    test("-force first does what can be done, and then drops the rest", async () => {
      const ran = await watched([part({ revoked: 1, failed: 1, total: 2 }), queued], "-force");
      expect(ran.requests.map(({ path }) => path)).toEqual([
        "sys/leases/revoke-prefix/a",
        "sys/leases/revoke-force/a",
      ]);
      expect(ran.stdout).toBe("Success! Force revoked any leases with prefix: a\n");
    });
  });

  test("revoke needs an ID", async () => {
    const ran = await sent(["lease", "revoke"]);
    expect([ran.exitCode, ran.stderr]).toEqual([1, "Not enough arguments (expected 1, got 0)\n"]);
  });
});

describe("path-help", () => {
  test("prints the text, or the document on one line", async () => {
    const answers = [ok({ help: "About it.\n", see_also: "", openapi: { openapi: "3.0.2", paths: {} } })];
    const ran = await sent(["path-help", "db/roles/x"], { answers });
    expect(ran.requests).toEqual([{ method: "HELP", path: "db/roles/x" }]);
    expect(ran.stdout).toBe("About it.\n");
    const json = await sent(["path-help", "-format=json", "db/roles/x"], { answers });
    expect(json.stdout).toBe('{"openapi":"3.0.2","paths":{}}\n');
  });

  test("says that the store is sealed without a block", async () => {
    const ran = await sent(["path-help", "x"], { answers: [refused(503, "Vault is sealed")] });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toStartWith("Error: Vault is sealed.\n");
    const other = await sent(["path-help", "x"], { answers: [denied] });
    expect(other.stderr).toStartWith(
      "Error retrieving help: Error making API request.\n\nURL: GET vsec://local/v1/x?help=1\n",
    );
  });
});

import { describe, expect, test } from "bun:test";
import type { ApiResponse } from "../../src/contract/wire.ts";
import { denied, empty, envelope, nothing, refused, type Scene, sent } from "./fake-world.ts";

const V2 = envelope({ data: { path: "secret/", type: "kv", options: { version: "2" } } });
const V1 = envelope({ data: { path: "secret/", type: "kv", options: null } });
const PREFLIGHT = { method: "GET", path: "sys/internal/ui/mounts/secret/foo" } as const;

const METADATA = {
  created_time: "2024-05-01T10:00:00.1Z",
  custom_metadata: null,
  deletion_time: "",
  destroyed: false,
  version: 2,
};
const version = (data: ApiResponse["body"], metadata = METADATA) => envelope({ data: { data, metadata } });
const written = envelope({ data: METADATA });
const gone: ApiResponse = {
  ...version(null, { ...METADATA, deletion_time: "2024-05-01T11:00:00Z" }),
  status: 404,
};

/** Runs a command, and returns what it sent after the question for the mount. */
async function kv(
  args: readonly string[],
  mount: ApiResponse,
  answers: readonly ApiResponse[],
  scene: Scene = {},
) {
  const ran = await sent(["kv", ...args], { ...scene, answers: [mount, ...answers] });
  return { ...ran, requests: ran.requests.slice(1) };
}

const METADATA_TABLE = `======= Metadata =======
Key                Value
---                -----
created_time       2024-05-01T10:00:00.1Z
custom_metadata    <nil>
deletion_time      n/a
destroyed          false
version            2
`;

describe("kv: the mount", () => {
  test.each([
    [["secret/foo"], V2, "sys/internal/ui/mounts/secret/foo", "secret/data/foo"],
    [["/secret/a/b/"], V2, "sys/internal/ui/mounts/secret/a/b", "secret/data/a/b"],
    [["-mount=secret", "foo"], V2, "sys/internal/ui/mounts/secret", "secret/data/foo"],
    [["-mount", "/secret/", "/a/b"], V2, "sys/internal/ui/mounts/secret", "secret/data/a/b"],
    [["secret/foo"], V1, "sys/internal/ui/mounts/secret/foo", "secret/foo"],
    [["-mount=secret", "foo"], V1, "sys/internal/ui/mounts/secret", "secret/foo"],
    [["secret/foo"], nothing, "sys/internal/ui/mounts/secret/foo", "secret/foo"],
    [
      ["team/kv/foo"],
      envelope({ data: { path: "team/kv/", options: { version: 2 } } }),
      "sys/internal/ui/mounts/team/kv/foo",
      "team/kv/data/foo",
    ],
  ] as const)("get %p", async (args, mount, asked, path) => {
    const ran = await sent(["kv", "get", ...args], { answers: [mount, nothing] });
    expect(ran.requests).toEqual([
      { method: "GET", path: asked },
      { method: "GET", path },
    ]);
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, "", `No value found at ${path}\n`]);
  });

  test("that cannot be asked for is the bare block", async () => {
    const text = `preflight capability check returned 403, please ensure client's policies grant access to path "nope/x/"`;
    const ran = await sent(["kv", "get", "nope/x"], { answers: [refused(403, text)] });
    expect([ran.exitCode, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toBe(
      `Error making API request.\n\nURL: GET vsec://local/v1/sys/internal/ui/mounts/nope/x\nCode: 403. Errors:\n\n* ${text}\n`,
    );
  });

  test("is asked for even where the request is only to be shown", async () => {
    const ran = await sent(["kv", "put", "-output-curl-string", "secret/foo", "a=1"], { answers: [V2] });
    expect(ran.requests).toEqual([PREFLIGHT]);
    expect([ran.exitCode, ran.stdout.includes("secret/data/foo"), ran.stdout.includes('"options"')]).toEqual([
      0,
      true,
      true,
    ]);
    const policy = await sent(["kv", "get", "-output-policy", "secret/foo"], { answers: [V2] });
    expect(policy.stdout).toBe('path "secret/data/foo" {\n  capabilities = ["read"]\n}\n');
  });
});

describe("kv get", () => {
  test("shows path, metadata and data", async () => {
    const ran = await kv(["get", "secret/foo"], V2, [version({ passcode: "abc" })]);
    expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toBe(
      `= Secret Path =\nsecret/data/foo\n\n${METADATA_TABLE}\n====== Data ======\nKey         Value\n---         -----\npasscode    abc\n`,
    );
  });

  test("asks for a version, on mounts that have some", async () => {
    expect((await kv(["get", "-version=3", "secret/foo"], V2, [version({})])).requests).toEqual([
      { method: "GET", path: "secret/data/foo", query: { version: "3" } },
    ]);
    expect((await kv(["get", "-version=3", "secret/foo"], V1, [envelope({ data: {} })])).requests).toEqual([
      { method: "GET", path: "secret/foo" },
    ]);
  });

  test("shows what is known about a version that is gone, exit 0", async () => {
    const ran = await kv(["get", "secret/foo"], V2, [gone]);
    expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toBe(
      `= Secret Path =\nsecret/data/foo\n\n${METADATA_TABLE.replace("n/a", "2024-05-01T11:00:00Z")}`,
    );
  });

  test("of version 1 shows the data only", async () => {
    const ran = await kv(["get", "secret/foo"], V1, [
      envelope({ lease_duration: 2764800, data: { a: "b" } }),
    ]);
    expect(ran.stdout).toBe("== Data ==\nKey    Value\n---    -----\na      b\n");
  });

  test.each([
    [["-field=passcode"], { passcode: "abc" }, "abc"],
    [["-field=data"], { a: 1, b: "x" }, "map[a:1 b:x]"],
    [["-field=data"], { data: "mine" }, "mine"],
    [["-field=data", "-format=json"], { a: [1] }, '{\n  "a": [\n    1\n  ]\n}'],
    [["-field=version"], { version: "of the data" }, "of the data"],
    [["-field=l"], { l: [1, { a: null }] }, "[1 map[a:<nil>]]"],
  ] as const)("%p of %p is %s", async (flags, data, text) => {
    const ran = await kv(["get", ...flags, "secret/foo"], V2, [version(data)]);
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([0, text, ""]);
  });

  test("a field that is not there is exit 1, one of a version that is gone exit 2", async () => {
    const missing = await kv(["get", "-field=x", "secret/foo"], V2, [version({ a: 1 })]);
    expect([missing.exitCode, missing.stdout, missing.stderr]).toEqual([
      1,
      "",
      'Field "x" not present in secret\n',
    ]);
    const none = await kv(["get", "-field=x", "secret/foo"], V2, [gone]);
    expect([none.exitCode, none.stdout, none.stderr]).toEqual([2, "", "No data found at secret/data/foo\n"]);
    const plain = await kv(["get", "-field=a", "secret/foo"], V1, [envelope({ data: { a: "b" } })]);
    expect(plain.stdout).toBe("b");
  });

  test("prints the whole answer for programs", async () => {
    const ran = await kv(["get", "-format=json", "secret/foo"], V2, [version({ a: { b: 1 } })]);
    expect(JSON.parse(ran.stdout)).toEqual({
      request_id: "3f7c1d2e-0000-4000-8000-000000000001",
      lease_id: "",
      lease_duration: 0,
      renewable: false,
      data: { data: { a: { b: 1 } }, metadata: METADATA },
      warnings: null,
    });
    expect((await kv(["get", "-format=yaml", "secret/foo"], V2, [version({ a: 1 })])).stdout).toContain(
      "data:\n  data:\n    a: 1\n  metadata:\n",
    );
  });

  test("shows a wrapping token instead of sections", async () => {
    const wrapped = envelope({
      wrap_info: { token: "hvs.w", accessor: "a", ttl: 60, creation_time: "", creation_path: "p" },
    });
    const ran = await kv(["get", "-wrap-ttl=60s", "secret/foo"], V2, [wrapped]);
    expect(ran.requests).toEqual([{ method: "GET", path: "secret/data/foo", wrapTtlSeconds: 60 }]);
    expect(ran.stdout).toContain("wrapping_token:                  hvs.w\n");
    const field = await kv(["get", "-wrap-ttl=60s", "-field=wrapping_token", "secret/foo"], V2, [wrapped]);
    expect(field.stdout).toBe("hvs.w");
  });

  test("a refusal is the block after its prefix", async () => {
    const ran = await kv(["get", "secret/foo"], V2, [denied]);
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toStartWith("Error reading secret/data/foo: Error making API request.\n");
  });

  test.each([
    [["get"], "Not enough arguments (expected 1, got 0)\n"],
    [["get", "a", "b"], "Too many arguments (expected 1, got 2)\n"],
    [["put"], "Not enough arguments (expected >1, got 0)\n"],
    [["put", "a"], "Must supply data\n"],
    [["put", "a", "b"], 'Failed to parse K=V data: invalid key/value pair "b": format must be key=value\n'],
    [["patch"], "Not enough arguments (expected >1, got 0)\n"],
    [["patch", "a"], "Must supply data\n"],
    [["list"], "Not enough arguments (expected 1, got 0)\n"],
    [["list", "-mount=secret", "a", "b"], "Too many arguments (expected 0-1, got 2)\n"],
    [["delete"], "Not enough arguments (expected 1, got 0)\n"],
    [
      ["undelete", "a"],
      'No versions provided, use the "-versions" flag to specify the version to undelete.\n',
    ],
    [
      ["destroy", "-versions=,", "a"],
      'No versions provided, use the "-versions" flag to specify the version to destroy.\n',
    ],
    [["rollback"], "Invalid number of arguments (expected 1, got 0)\n"],
    [["rollback", "a", "b"], "Invalid number of arguments (expected 1, got 2)\n"],
    [["rollback", "a"], "Version flag must be specified\n"],
    [["rollback", "-version=0", "a"], "Invalid value 0 for the version flag\n"],
    [["enable-versioning"], "Not enough arguments (expected 1, got 0)\n"],
    [["metadata", "get"], "Not enough arguments (expected 1, got 0)\n"],
  ] as const)("kv %p is a mistake, exit 1, and nothing is sent", async (args, text) => {
    const ran = await sent(["kv", ...args]);
    expect([ran.exitCode, ran.stdout, ran.stderr, ran.opened]).toEqual([1, "", text, []]);
  });
});

describe("kv put", () => {
  test.each([
    [[], {}],
    [["-cas=0"], { cas: 0 }],
    [["-cas", "4"], { cas: 4 }],
    [["-cas=-1"], {}],
  ] as const)("with %p sends the options %p", async (flags, options) => {
    const ran = await kv(["put", ...flags, "secret/foo", "a=1", "b=@f"], V2, [written], {
      files: { f: "x\n" },
    });
    expect(ran.requests).toEqual([
      { method: "PUT", path: "secret/data/foo", body: { data: { a: "1", b: "x\n" }, options } },
    ]);
    expect(ran.stdout).toBe(`= Secret Path =\nsecret/data/foo\n\n${METADATA_TABLE}`);
  });

  test("on version 1 sends the data as they are, and says so to people only", async () => {
    const ran = await kv(["put", "secret/foo", "-"], V1, [empty], { stdin: '{"n": 1, "o": {"a": null}}' });
    expect(ran.requests).toEqual([{ method: "PUT", path: "secret/foo", body: { n: 1, o: { a: null } } }]);
    expect(ran.stdout).toBe("Success! Data written to: secret/foo\n");
    expect((await kv(["put", "-format=json", "secret/foo", "a=1"], V1, [empty])).stdout).toBe("");
  });

  test("prints one field, or the whole answer for programs", async () => {
    expect((await kv(["put", "-field=version", "secret/foo", "a=1"], V2, [written])).stdout).toBe("2");
    expect(
      JSON.parse((await kv(["put", "-format=json", "secret/foo", "a=1"], V2, [written])).stdout).data,
    ).toEqual(METADATA);
  });

  test("a refusal is the block after its prefix", async () => {
    const text = "check-and-set parameter did not match the current version";
    const ran = await kv(["put", "-cas=1", "secret/foo", "a=1"], V2, [refused(400, text)]);
    expect([ran.exitCode, ran.stderr]).toEqual([
      2,
      `Error writing data to secret/data/foo: Error making API request.\n\nURL: PUT vsec://local/v1/secret/data/foo\nCode: 400. Errors:\n\n* ${text}\n`,
    ]);
  });
});

describe("kv patch", () => {
  const path = "secret/data/foo";
  const PATCH = { method: "PATCH", path } as const;
  const READ = { method: "GET", path } as const;
  const rewritten = (data: ApiResponse["body"], cas = 2) => ({
    method: "PUT" as const,
    path,
    body: { data, options: { cas } },
  });

  test("sends the changes, and null for what is to go", async () => {
    const ran = await kv(["patch", "-cas=2", "-remove-data=old", "secret/foo", "a=1"], V2, [written]);
    expect(ran.requests).toEqual([{ ...PATCH, body: { data: { a: "1", old: null }, options: { cas: 2 } } }]);
    expect(ran.stdout).toBe(`= Secret Path =\nsecret/data/foo\n\n${METADATA_TABLE}`);
    const only = await kv(["patch", "-remove-data=old", "secret/foo"], V2, [written]);
    expect(only.requests).toEqual([{ ...PATCH, body: { data: { old: null }, options: {} } }]);
  });

  test.each([403, 405])("reads and writes where a patch is answered with %p", async (status) => {
    const answers = [refused(status, "no"), version({ a: "0", b: { c: null }, old: 1 }), written];
    const ran = await kv(["patch", "-remove-data=old", "secret/foo", "a=1"], V2, answers);
    expect(ran.requests.slice(1)).toEqual([READ, rewritten({ a: "1", b: { c: null } })]);
    expect([ran.exitCode, ran.stdout.startsWith("= Secret Path =")]).toEqual([0, true]);
    expect(ran.stderr.includes('capability "patch"')).toBe(status === 403);
  });

  test("by rw reads and writes at once, by patch never", async () => {
    const rw = await kv(["patch", "-method=rw", "secret/foo", "a=1"], V2, [version({ b: 1 }), written]);
    expect(rw.requests).toEqual([READ, rewritten({ a: "1", b: 1 })]);
    const only = await kv(["patch", "-method=patch", "secret/foo", "a=1"], V2, [denied]);
    expect([only.exitCode, only.requests.length]).toEqual([2, 1]);
    expect(only.stderr).toStartWith("Error writing data to secret/data/foo: ");
  });

  test.each([
    [V1, [], [], "K/V engine mount must be version 2 for patch support\n"],
    [V2, ["-method=x"], [], "Unsupported method provided to -method flag: x\n"],
    [V2, [], [nothing], "No value found at secret/data/foo\n"],
    [V2, [], [gone], "No data found at secret/data/foo; patch only works on existing data\n"],
    [V2, ["-method=rw"], [nothing], "No value found at secret/data/foo\n"],
    [V2, ["-method=rw"], [gone], "No data found at secret/data/foo; patch only works on existing data\n"],
    [
      V2,
      ["-method=rw"],
      [envelope({ data: { data: {} } })],
      "No metadata found at secret/data/foo; patch only works on existing data\n",
    ],
  ] as const)("fails with exit 2: %#", async (mount, flags, answers, text) => {
    const ran = await kv(["patch", ...flags, "secret/foo", "a=1"], mount, answers);
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, "", text]);
  });
});

describe("kv list, delete, undelete, destroy", () => {
  const keys = envelope({ data: { keys: ["b", "a/"] } });

  test.each([
    [["secret"], V2, "secret/metadata"],
    [["-mount=secret"], V2, "secret/metadata"],
    [["-mount=secret", "foo/"], V2, "secret/metadata/foo"],
    [["secret/foo"], V1, "secret/foo"],
    [["-mount=secret"], V1, "secret"],
  ] as const)("list %p", async (args, mount, path) => {
    const ran = await kv(["list", ...args], mount, [keys]);
    expect(ran.requests).toEqual([{ method: "LIST", path }]);
    expect(ran.stdout).toBe("Keys\n----\na/\nb\n");
    const none = await kv(["list", ...args], mount, [nothing]);
    expect([none.exitCode, none.stderr]).toEqual([2, `No value found at ${path}\n`]);
  });

  test("list prints the keys for programs, and an empty object for none", async () => {
    expect((await kv(["list", "-format=json", "secret"], V2, [keys])).stdout).toBe('[\n  "b",\n  "a/"\n]\n');
    const none = await kv(["list", "-format=json", "secret"], V2, [nothing]);
    expect([none.exitCode, none.stdout]).toEqual([2, "{}\n"]);
  });

  const at = (part: string) => `secret/${part}/foo`;
  test.each([
    [
      ["delete", "secret/foo"],
      { method: "DELETE", path: at("data") },
      `Data deleted (if it existed) at: ${at("data")}`,
    ],
    [
      ["delete", "-versions=1,2", "-versions", "3", "secret/foo"],
      { method: "PUT", path: at("delete"), body: { versions: ["1", "2", "3"] } },
      `Data deleted (if it existed) at: ${at("data")}`,
    ],
    [
      ["undelete", "-versions=1", "secret/foo"],
      { method: "PUT", path: at("undelete"), body: { versions: ["1"] } },
      `Data written to: ${at("undelete")}`,
    ],
    [
      ["destroy", "-versions=1, 2", "secret/foo"],
      { method: "PUT", path: at("destroy"), body: { versions: ["1", "2"] } },
      `Data written to: ${at("destroy")}`,
    ],
  ] as const)("%p", async (args, request, text) => {
    const ran = await kv(args, V2, [empty]);
    expect([ran.requests, ran.stdout, ran.exitCode]).toEqual([[request], `Success! ${text}\n`, 0]);
    expect((await kv([...args, "-format=json"], V2, [empty])).stdout).toBe("");
    const failed = await kv(args, V2, [denied]);
    const prefix =
      args[0] === "delete" ? "Error deleting secret/data/foo: " : `Error writing data to ${request.path}: `;
    expect([failed.exitCode, failed.stderr.startsWith(`${prefix}Error making`)]).toEqual([2, true]);
  });

  test("on version 1 delete deletes, and the others are not there", async () => {
    const ran = await kv(["delete", "secret/foo"], V1, [empty]);
    expect(ran.requests).toEqual([{ method: "DELETE", path: "secret/foo" }]);
    expect(ran.stdout).toBe("Success! Data deleted (if it existed) at: secret/foo\n");
    for (const [verb, name] of [
      ["undelete", "Undelete"],
      ["destroy", "Destroy"],
    ] as const) {
      const refused = await kv([verb, "-versions=1", "secret/foo"], V1, []);
      expect([refused.exitCode, refused.stderr]).toEqual([1, `${name} not supported on KV Version 1\n`]);
    }
  });
});

describe("kv rollback and enable-versioning", () => {
  const ROLLBACK = ["rollback", "-version=1", "secret/foo"] as const;

  test("writes the earlier version once more, if nobody else has written", async () => {
    const earlier = version({ a: [1] }, { ...METADATA, version: 1 });
    const ran = await kv(ROLLBACK, V2, [
      version({ a: 2 }),
      earlier,
      envelope({ data: { ...METADATA, version: 3 } }),
    ]);
    expect(ran.requests).toEqual([
      { method: "GET", path: "secret/data/foo" },
      { method: "GET", path: "secret/data/foo", query: { version: "1" } },
      { method: "PUT", path: "secret/data/foo", body: { data: { a: [1] }, options: { cas: 2 } } },
    ]);
    expect(ran.stdout).toBe(
      "Key                Value\n---                -----\ncreated_time       2024-05-01T10:00:00.1Z\ncustom_metadata    <nil>\ndeletion_time      n/a\ndestroyed          false\nversion            3\n",
    );
  });

  test("goes back from a version that is deleted", async () => {
    expect((await kv(ROLLBACK, V2, [gone, version({ a: 1 }), written])).exitCode).toBe(0);
  });

  test.each([
    [V1, [], "K/V engine mount must be version 2 for rollback support\n"],
    [V2, [nothing], "No value found at secret/data/foo\n"],
    [
      V2,
      [envelope({ data: {} })],
      "No metadata found at secret/data/foo; rollback only works on existing data\n",
    ],
    [V2, [version({}), nothing], "No value found at secret/data/foo\n"],
    [V2, [version({}), gone], "Cannot roll back to a version that has been deleted\n"],
    [
      V2,
      [version({}), version(null, { ...METADATA, destroyed: true })],
      "Cannot roll back to a version that has been destroyed\n",
    ],
  ] as const)("fails with exit 2: %#", async (mount, answers, text) => {
    const ran = await kv(ROLLBACK, mount, answers);
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, "", text]);
  });

  test("enable-versioning tunes the mount", async () => {
    const ran = await sent(["kv", "enable-versioning", "/secret/"], { answers: [empty] });
    expect(ran.requests).toEqual([
      { method: "POST", path: "sys/mounts/secret/tune", body: { options: { version: "2" } } },
    ]);
    expect(ran.stdout).toBe("Success! Tuned the secrets engine at: secret/\n");
    const failed = await sent(["kv", "enable-versioning", "secret"], { answers: [denied] });
    expect([
      failed.exitCode,
      failed.stderr.startsWith("Error tuning secrets engine secret/: Error making"),
    ]).toEqual([2, true]);
  });
});

describe("kv metadata", () => {
  const path = "secret/metadata/foo";

  test("get shows the settings and each version, the lowest first", async () => {
    const one = { created_time: "2024-05-01T10:00:00.1Z", deletion_time: "", destroyed: false };
    const body = envelope({
      data: {
        cas_required: false,
        created_time: "2024-05-01T10:00:00.1Z",
        current_version: 10,
        custom_metadata: { b: "2", a: "1" },
        delete_version_after: "0s",
        max_versions: 0,
        oldest_version: 9,
        updated_time: "2024-05-02T10:00:00Z",
        versions: {
          "10": { ...one, deletion_time: "2024-06-01T10:00:00Z" },
          "9": { ...one, destroyed: true },
        },
      },
    });
    const ran = await kv(["metadata", "get", "secret/foo"], V2, [body]);
    expect(ran.requests).toEqual([{ method: "GET", path }]);
    expect(ran.stdout).toBe(`== Metadata Path ==
secret/metadata/foo

========== Metadata ==========
Key                     Value
---                     -----
cas_required            false
created_time            2024-05-01T10:00:00.1Z
current_version         10
custom_metadata         map[a:1 b:2]
delete_version_after    0s
max_versions            0
oldest_version          9
updated_time            2024-05-02T10:00:00Z

====== Version 9 ======
Key              Value
---              -----
created_time     2024-05-01T10:00:00.1Z
deletion_time    n/a
destroyed        true

===== Version 10 =====
Key              Value
---              -----
created_time     2024-05-01T10:00:00.1Z
deletion_time    2024-06-01T10:00:00Z
destroyed        false
`);
    const none = await kv(["metadata", "get", "secret/foo"], V2, [nothing]);
    expect([none.exitCode, none.stderr]).toEqual([2, `No value found at ${path}\n`]);
  });

  const ALL = [
    "-max-versions=0",
    "-cas-required=false",
    "-delete-version-after=90m",
    "-custom-metadata=a=b=c",
  ];
  const SENT = {
    max_versions: 0,
    cas_required: false,
    delete_version_after: "1h30m0s",
    custom_metadata: { a: "b=c" },
  };
  test.each([
    [["put", "secret/foo"], "PUT", {}],
    [["put", ...ALL, "secret/foo"], "PUT", SENT],
    [["put", "-max-versions=-1", "-cas-required", "-mount=secret", "foo"], "PUT", { cas_required: true }],
    [["patch", "secret/foo"], "PATCH", { custom_metadata: {} }],
    [
      ["patch", ...ALL, "-remove-custom-metadata=z", "secret/foo"],
      "PATCH",
      { ...SENT, custom_metadata: { a: "b=c", z: null } },
    ],
  ] as const)("%p", async (args, method, body) => {
    const ran = await kv(["metadata", ...args], V2, [empty]);
    expect(ran.requests).toEqual([{ method, path, body }]);
    expect(ran.stdout).toBe(`Success! Data written to: ${path}\n`);
    expect((await kv(["metadata", ...args, "-format=yaml"], V2, [empty])).stdout).toBe("");
    const failed = await kv(["metadata", ...args], V2, [nothing]);
    expect([
      failed.exitCode,
      failed.stderr.startsWith(`Error writing data to ${path}: Error making`),
    ]).toEqual([2, true]);
  });

  test("delete says so in every format", async () => {
    const ran = await kv(["metadata", "delete", "secret/foo"], V2, [empty], { env: { VSEC_FORMAT: "json" } });
    expect([ran.requests, ran.stdout]).toEqual([
      [{ method: "DELETE", path }],
      `Success! Data deleted (if it existed) at: ${path}\n`,
    ]);
  });

  test.each(["get", "put", "patch", "delete"])("%s is not for version 1", async (verb) => {
    const ran = await kv(["metadata", verb, "secret/foo"], V1, []);
    expect([ran.exitCode, ran.requests, ran.stderr]).toEqual([
      1,
      [],
      "Metadata not supported on KV Version 1\n",
    ]);
  });

  test("alone, and kv alone, show what there is, exit 1", async () => {
    const group = await sent(["kv"]);
    expect([group.exitCode, group.stdout]).toEqual([1, ""]);
    for (const word of ["get", "put", "patch", "list", "rollback", "enable-versioning", "metadata"]) {
      expect(group.stderr).toMatch(new RegExp(`\\n {4}${word} `));
    }
    const metadata = await sent(["kv", "metadata"]);
    expect([metadata.exitCode, /\n {4}patch /.test(metadata.stderr)]).toEqual([1, true]);
  });
});

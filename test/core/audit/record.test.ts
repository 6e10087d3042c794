import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { type AuditEntry, auditResponse } from "../../../src/core/audit/entry.ts";
import { hasher } from "../../../src/core/audit/hashing.ts";
import { auditMount } from "../../../src/core/audit/mount.ts";
import { type AuditedHeaders, auditRecord } from "../../../src/core/audit/record.ts";
import type { MountEntry } from "../../../src/core/mounts/table.ts";
import { entry, hmac } from "./world.ts";

const SALT = "0b7f7a0e-6d5b-4d41-9a57-3c1f3f1f0a11";
const h = (value: string): string => hmac(SALT, value);

interface Options {
  readonly hmacAccessor?: boolean;
  readonly logRaw?: boolean;
  readonly elideListResponses?: boolean;
  readonly headers?: AuditedHeaders;
}

function record(type: "request" | "response", given: AuditEntry, options: Options = {}): JsonObject {
  const { hmacAccessor = true, logRaw = false, elideListResponses = false, headers = {} } = options;
  return auditRecord(type, given, {
    hasher: hasher({ salt: SALT, hmacAccessor, logRaw }),
    elideListResponses,
    headers,
  });
}

const TOKEN = "hvs.CAESIJlU02LQZq";
const CALLER: AuditEntry["caller"] = {
  token: TOKEN,
  record: {
    accessor: "gWcPZ1RUZKKWPZNjQdK7PwCZ",
    policies: ["apps", "default"],
    displayName: "userpass-bob",
    createdAt: 1_699_999_000_999,
    ttlSeconds: 3600,
    numUses: 4,
    meta: { username: "bob" },
    type: "service",
    entityId: "",
    noDefaultPolicy: false,
  },
};

const ISSUE = entry({
  caller: CALLER,
  clientToken: TOKEN,
  data: { ttl: 60, reason: "because", nested: { list: ["a", 1, true, null, { deep: "b" }], empty: {} } },
  policyResults: { allowed: true, grantingPolicies: ["apps"] },
  remoteAddress: "10.0.0.7",
  remotePort: 40_100,
  wrapTtlSeconds: 30,
  headers: { "User-Agent": "ci/1", "X-Trace": ["t1", "t2"], Cookie: "c" },
});

const AUTH_BLOCK: JsonObject = {
  client_token: h(TOKEN),
  accessor: h("gWcPZ1RUZKKWPZNjQdK7PwCZ"),
  display_name: "userpass-bob",
  policies: ["apps", "default"],
  token_policies: ["apps", "default"],
  policy_results: {
    allowed: true,
    granting_policies: [{ name: "apps", namespace_id: "root", type: "acl" }],
  },
  metadata: { username: "bob" },
  remaining_uses: 4,
  token_type: "service",
  token_ttl: 3600,
  token_issue_time: "2023-11-14T21:56:40Z",
};

const REQUEST_BLOCK: JsonObject = {
  id: "6a0d9c1e-7a7d-4e6b-8a53-0f6c4a1b2c3d",
  client_id: "IuNdS1lk7uQzP0H25HmFW/X+ivOx/PsI/+sdje8IQt8=",
  operation: "read",
  mount_point: "database/",
  mount_type: "database",
  mount_accessor: "database_1a2b3c4d",
  mount_class: "secret",
  client_token: h(TOKEN),
  client_token_accessor: h("gWcPZ1RUZKKWPZNjQdK7PwCZ"),
  namespace: { id: "root" },
  path: "database/creds/readonly",
  data: {
    ttl: 60,
    reason: h("because"),
    nested: { list: [h("a"), 1, true, null, { deep: h("b") }], empty: {} },
  },
  remote_address: "10.0.0.7",
  remote_port: 40_100,
  wrap_ttl: 30,
};

describe("an audit record", () => {
  test("of a request says who asked for what, secrets hashed", () => {
    expect(record("request", ISSUE)).toEqual({
      time: "2023-11-14T22:13:20.123Z",
      type: "request",
      auth: AUTH_BLOCK,
      request: REQUEST_BLOCK,
    });
  });

  test("of a response says what was answered, too", () => {
    const answered = entry({
      ...ISSUE,
      response: {
        data: { username: "v-bob-1", password: "hunter2", ttl: 60, when: "2023-11-14T22:13:20.5Z" },
        auth: null,
        leaseId: "database/creds/readonly/abc",
        warnings: ["the token ends first"],
        wrapInfo: null,
      },
    });
    expect(record("response", answered)).toEqual({
      time: "2023-11-14T22:13:20.123Z",
      type: "response",
      auth: AUTH_BLOCK,
      request: REQUEST_BLOCK,
      response: {
        mount_point: "database/",
        mount_type: "database",
        mount_accessor: "database_1a2b3c4d",
        mount_class: "secret",
        secret: { lease_id: "database/creds/readonly/abc" },
        data: {
          username: h("v-bob-1"),
          password: h("hunter2"),
          ttl: 60,
          when: "2023-11-14T22:13:20.5Z",
        },
        warnings: ["the token ends first"],
      },
    });
  });

  test("of a login names nobody before, and the new token after", () => {
    const login = entry({
      operation: "update",
      path: "auth/userpass/login/bob",
      mount: {
        ...MOUNT,
        path: "auth/userpass/",
        type: "userpass",
        accessor: "auth_userpass_1",
        class: "auth",
      },
      data: { password: "hunter2" },
      response: auditResponse({
        request_id: "r",
        lease_id: "",
        data: null,
        wrap_info: null,
        warnings: null,
        auth: {
          client_token: "hvs.new",
          accessor: "acc",
          policies: ["default"],
          token_policies: ["default"],
          metadata: { username: "bob" },
          lease_duration: 60,
          renewable: true,
          entity_id: "e-1",
          token_type: "service",
          orphan: true,
          num_uses: 3,
        },
      }),
    });
    const { auth, request, response } = record("response", login);
    expect(auth).toEqual({ token_type: "default" });
    expect(request).toEqual({
      id: login.requestId,
      operation: "update",
      mount_point: "auth/userpass/",
      mount_type: "userpass",
      mount_accessor: "auth_userpass_1",
      mount_class: "auth",
      namespace: { id: "root" },
      path: "auth/userpass/login/bob",
      data: { password: h("hunter2") },
    });
    expect(response).toEqual({
      auth: {
        client_token: h("hvs.new"),
        accessor: h("acc"),
        policies: ["default"],
        token_policies: ["default"],
        metadata: { username: "bob" },
        num_uses: 3,
        entity_id: "e-1",
        token_type: "service",
        token_ttl: 60,
      },
      mount_point: "auth/userpass/",
      mount_type: "userpass",
      mount_accessor: "auth_userpass_1",
      mount_class: "auth",
    });
  });

  test("of a wrapped answer shows where it is, and nothing of it", () => {
    const wrapInfo = {
      token: "hvs.wrap",
      accessor: "wrap-acc",
      ttl: 60,
      creation_time: "2023-11-14T22:13:20.123Z",
      creation_path: "database/creds/readonly",
      wrapped_accessor: "inner-acc",
    };
    const body = {
      request_id: "",
      lease_id: "",
      data: { password: "hunter2" },
      wrap_info: wrapInfo,
      auth: null,
    };
    const { response } = record("response", entry({ mount: null, response: auditResponse(body) }));
    expect(response).toEqual({
      wrap_info: {
        ...wrapInfo,
        token: h("hvs.wrap"),
        accessor: h("wrap-acc"),
        wrapped_accessor: h("inner-acc"),
      },
    });
  });

  test("of a refused request says why, whose token it was, and what it was denied by", () => {
    const refused = entry({
      mount: null,
      clientToken: "hvs.forged",
      policyResults: { allowed: false, grantingPolicies: [] },
      error: "permission denied",
    });
    const { auth, request, error, response } = record("response", refused);
    expect({ auth, error, response }).toEqual({
      auth: { policy_results: { allowed: false }, token_type: "default" },
      error: "permission denied",
      response: undefined,
    });
    expect(request).toMatchObject({ client_token: h("hvs.forged") });
  });

  test("names the entity, and the policies that it adds", () => {
    const caller = { token: TOKEN, record: { ...CALLER.record, entityId: "e-1", noDefaultPolicy: true } };
    const { auth, request } = record("request", entry({ caller, identityPolicies: ["admin", "apps"] }));
    expect(auth).toMatchObject({
      policies: ["admin", "apps", "default"],
      token_policies: ["apps", "default"],
      identity_policies: ["admin", "apps"],
      entity_id: "e-1",
      no_default_policy: true,
    });
    expect(request).toMatchObject({ client_id: "e-1" });
  });

  test("counts tokens without an entity by their policies, as Vault does", () => {
    const caller = { token: TOKEN, record: { ...CALLER.record, policies: ["root"] } };
    const { request } = record("request", entry({ caller }));
    // The figure that every Vault server gives its root tokens.
    expect(request).toMatchObject({ client_id: "0DHqvq2D77kL2/JTPSZkTMJbkFVmUu0TzMi0jiXcFy8=" });
  });

  test("shows the configured headers and no others, tokens never in clear", () => {
    const headers = {
      "user-agent": { hmac: false },
      "x-trace": { hmac: true },
      "x-vault-token": { hmac: false },
    };
    const given = entry({ headers: { ...ISSUE.headers, "X-Vault-Token": TOKEN } });
    const { request } = record("request", given, { headers });
    expect((request as JsonObject).headers).toEqual({
      "user-agent": ["ci/1"],
      "x-trace": [h("t1"), h("t2")],
      "x-vault-token": [h(TOKEN)],
    });
  });

  test("has no mount class for the system backend", () => {
    const { request } = record("request", entry({ mount: auditMount("sys/", "system", null) }));
    expect(request).toMatchObject({ mount_point: "sys/", mount_type: "system" });
    expect(request).not.toHaveProperty("mount_class");
    expect(request).not.toHaveProperty("mount_accessor");
  });
});

const MOUNT = {
  path: "database/",
  type: "database",
  accessor: "database_1a2b3c4d",
  class: "secret",
  nonHmacRequestKeys: [],
  nonHmacResponseKeys: [],
} as const;

describe("a device's options", () => {
  test("hmac_accessor=false shows accessors, and still hashes tokens", () => {
    const answer = { client_token: "hvs.new", accessor: "new-acc" };
    const response = { data: null, auth: answer, leaseId: "", warnings: [], wrapInfo: null };
    const got = record("response", entry({ ...ISSUE, response }), { hmacAccessor: false });
    expect(got.auth).toMatchObject({ client_token: h(TOKEN), accessor: "gWcPZ1RUZKKWPZNjQdK7PwCZ" });
    expect(got.request).toMatchObject({ client_token_accessor: "gWcPZ1RUZKKWPZNjQdK7PwCZ" });
    expect(got.response).toMatchObject({ auth: { client_token: h("hvs.new"), accessor: "new-acc" } });
  });

  test("log_raw=true hashes nothing", () => {
    const response = { data: { password: "p" }, auth: null, leaseId: "", warnings: [], wrapInfo: null };
    const got = record("response", entry({ ...ISSUE, response }), { logRaw: true });
    expect(JSON.stringify(got)).not.toContain("hmac-sha256:");
    expect(got.request).toMatchObject({ client_token: TOKEN, data: ISSUE.data });
    expect(got.response).toMatchObject({ data: { password: "p" } });
  });

  test("elide_list_responses=true counts the keys of lists, and of nothing else", () => {
    const data = { keys: ["a", "b"], key_info: { a: { x: "1" }, b: {}, c: {} }, other: "o" };
    const response = { data, auth: null, leaseId: "", warnings: [], wrapInfo: null };
    const of = (operation: "list" | "read") =>
      record("response", entry({ operation, response }), { elideListResponses: true }).response;
    expect(of("list")).toMatchObject({ data: { keys: 2, key_info: 3, other: h("o") } });
    expect(of("read")).toMatchObject({ data: { keys: [h("a"), h("b")] } });
  });
});

describe("keys that a mount shows in clear", () => {
  const data = {
    role: "r",
    password: "p",
    role_list: ["x"],
    nested: { role: ["deep", { password: "q", role: "r2" }], other: "o" },
  };

  test("are the nearest ones, in requests and responses apart", () => {
    const mount = { ...MOUNT, nonHmacRequestKeys: ["role"], nonHmacResponseKeys: ["other", "role_list"] };
    const response = { data, auth: null, leaseId: "", warnings: [], wrapInfo: null };
    const got = record("response", entry({ mount, data, response }));
    expect(got.request).toMatchObject({
      data: {
        role: "r",
        password: h("p"),
        role_list: [h("x")],
        nested: { role: ["deep", { password: h("q"), role: "r2" }], other: h("o") },
      },
    });
    expect(got.response).toMatchObject({
      data: {
        role: h("r"),
        password: h("p"),
        role_list: ["x"],
        nested: { role: [h("deep"), { password: h("q"), role: h("r2") }], other: "o" },
      },
    });
  });

  test.each([
    ["a list", ["a", "b"]],
    ["a comma list", "a, b"],
  ])("are tuned as %s", (_, tuned: Json) => {
    const mounted = {
      path: "auth/x/",
      accessor: "auth_x_1",
      config: { extra: { audit_non_hmac_request_keys: tuned } },
    };
    expect(auditMount("auth/x/", "x", mounted as unknown as MountEntry)).toEqual({
      path: "auth/x/",
      type: "x",
      accessor: "auth_x_1",
      class: "auth",
      nonHmacRequestKeys: ["a", "b"],
      nonHmacResponseKeys: [],
    });
  });
});

describe("timestamps", () => {
  test.each(["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.123456789Z", "2023-11-14T22:13:20+01:00"])(
    "%s is shown",
    (when) => {
      expect(record("request", entry({ data: { when } })).request).toMatchObject({ data: { when } });
    },
  );

  test.each([
    "2023-11-14",
    "2023-11-14T22:13:20",
    "2023-02-30T22:13:20Z",
    "2023-11-14T25:13:20Z",
    "2023-11-14T22:13:20.1234567890Z",
    " 2023-11-14T22:13:20Z",
    "2023-11-14T22:13:20Z\n",
    "1700000000",
  ])("%p is no timestamp, and is hashed", (when) => {
    expect(record("request", entry({ data: { when } })).request).toMatchObject({ data: { when: h(when) } });
  });
});

/** Any JSON, its texts marked so that they can be found. */
const sensitive = fc.string({ unit: "binary", maxLength: 20 }).map((text) => `§${text}§`);
const { data: anyData } = fc.letrec<{ json: Json; data: JsonObject }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    sensitive,
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie("json"), { maxLength: 4 }),
    tie("data"),
  ),
  data: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("json"), { maxKeys: 5 }),
}));

describe("whatever the data", () => {
  const runs = process.env.SLOW === "1" ? 5000 : 300;

  test("no text of theirs is in a line", () => {
    const property = fc.property(anyData, anyData, sensitive, (data, answered, secret) => {
      const response = {
        data: { ...answered, secret },
        auth: { client_token: secret, accessor: secret },
        leaseId: "",
        warnings: [],
        wrapInfo: { token: secret, accessor: secret, wrapped_accessor: secret },
      };
      const caller = { token: secret, record: { ...CALLER.record, accessor: secret } };
      const line = JSON.stringify(
        record("response", entry({ data, caller, clientToken: secret, response, headers: { a: secret } }), {
          headers: { a: { hmac: true } },
        }),
      );
      expect(line).not.toContain("§");
    });
    fc.assert(property, { numRuns: runs });
  });

  test("its shape stays, and each text is where it was", () => {
    const property = fc.property(anyData, (data) => {
      const shown = (record("request", entry({ data })).request as JsonObject).data ?? {};
      const text = JSON.stringify(data, (_, value: Json) => (typeof value === "string" ? h(value) : value));
      expect(shown as JsonObject).toEqual(JSON.parse(text) as JsonObject);
    });
    fc.assert(property, { numRuns: runs });
  });
});

describe("what an answer tells audit", () => {
  test.each([
    ["no body", null],
    ["a refusal", { errors: ["permission denied"] }],
    ["a text", "x"],
  ])("%s: nothing", (_, body: Json) => {
    expect(auditResponse(body)).toBeNull();
  });

  test("a bare body counts as data", () => {
    expect(auditResponse({ keys: ["a"] })).toEqual({
      data: { keys: ["a"] },
      auth: null,
      leaseId: "",
      warnings: [],
      wrapInfo: null,
    });
  });
});

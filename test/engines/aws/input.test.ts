import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JsonObject } from "../../../src/base/json.ts";
import { chooseName, isNameUnique, normalName } from "../../../src/engines/aws/username.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { AwsWorld, refusalOf } from "./world.ts";

const context = { random: systemRandom, nowMs: 1_700_000_000_000 };
const ROLE = "arn:aws:iam::123456789012:role/x";
const POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess";

describe("What is refused before AWS is asked", () => {
  const bad = (path: string, body: JsonObject, text: string) => ({ path, body, text });
  const role = (body: JsonObject, text: string) => bad("roles/r", body, text);
  const root = (body: JsonObject, text: string) => bad("config/root", body, text);
  test.each([
    role({}, "did not supply credential_type"),
    role({ credential_type: "iam_usr" }, "unrecognized credential type: iam_usr"),
    role({ credential_type: "iam_user", policy_document: "{" }, 'cannot parse policy document: "{"'),
    role({ policy: '{"__proto__":{}}' }, 'cannot parse policy document: "{\\"__proto__\\":{}}"'),
    role({ policy: "no json" }, 'cannot parse policy document: "no json"'),
    role({ policy: "{}", arn: ROLE }, "only one of policy or arn should be provided"),
    role(
      { policy: "{}", policy_document: "{}" },
      "cannot supply deprecated role or policy parameters with policy_document",
    ),
    role({ arn: "arn:aws:iam::123456789012:user/x" }, "neither that of a role nor that of a policy"),
    role(
      { credential_type: "assumed_role", role_arns: "arn:aws:iam::12:role/x" },
      "not the ARN of an IAM role",
    ),
    role({ credential_type: "iam_user", policy_arns: ROLE }, "not the ARN of an IAM policy"),
    role({ credential_type: "iam_user", role_arns: ROLE }, "cannot supply role_arns when credential_type"),
    role(
      { credential_type: "iam_user", default_sts_ttl: "1h" },
      "default_sts_ttl parameter only valid for assumed_role and federation_token credential types",
    ),
    role(
      { credential_type: "assumed_role", role_arns: ROLE, default_sts_ttl: "2h", max_sts_ttl: "1h" },
      'value must be less than or equal to \\"max_sts_ttl\\" value',
    ),
    role({ credential_type: "iam_user", user_path: "nope" }, "The specified value for user_path is invalid"),
    role(
      { credential_type: "federation_token", user_path: "/x/" },
      "user_path parameter only valid for iam_user credential type",
    ),
    role(
      { credential_type: "iam_user", permissions_boundary_arn: ROLE },
      `invalid permissions_boundary_arn parameter: ${ROLE}`,
    ),
    role(
      { credential_type: "session_token", policy_arns: POLICY },
      "cannot supply policy_arns when credential_type is session_token",
    ),
    role({ credential_type: "iam_user", session_tags: ["a=b"] }, "cannot supply session_tags"),
    root({ access_key: "AKIA" }, "access_key and secret_key have to be given together"),
    root({ iam_endpoint: "localhost" }, 'an endpoint has to be a URL with http or https: "localhost"'),
    root({ username_template: "{{ nope }}" }, "invalid username template: unable to parse template"),
    root({ username_template: "{{ .Nope }}" }, "invalid username template: unable to apply template"),
    root(
      { sts_fallback_endpoints: "http://a" },
      "fallback endpoints and fallback regions must be the same length",
    ),
    root({ rotation_period: "1h" }, "rotation_period needs an access_key"),
    root({ access_key: "A", secret_key: "b", rotation_period: 5 }, "at least 60 seconds"),
    root(
      { access_key: "A", secret_key: "b", rotation_period: "1h", rotation_schedule: "0 0 * * *" },
      "mutually exclusive fields rotation_period and rotation_schedule were both specified",
    ),
    root({ rotation_schedule: "0 0 * * *" }, "rotation_schedule needs an access_key"),
    root({ rotation_schedule: "daily" }, "failed to parse provided rotation_schedule: "),
    root({ rotation_window: "1h" }, "must include both schedule and window"),
    root(
      { access_key: "A", secret_key: "b", identity_token_audience: "aud" },
      "only one of 'access_key' or 'identity_token_audience' can be set",
    ),
    root(
      { identity_token_audience: "aud" },
      "missing required 'role_arn' when 'identity_token_audience' is set",
    ),
    root({ identity_token_audience: "aud", role_arn: ROLE }, "vsec issues no identity tokens"),
    root({ identity_token_ttl: "1h" }, "identity_token_ttl: vsec issues no identity tokens"),
    root({ max_retries: 21 }, "max_retries is at most 20"),
    root({ role_arn: POLICY }, "role_arn is not the ARN of a role"),
    bad("config/lease", { lease_max: "1h" }, "'lease' is a required parameter"),
    bad("config/lease", { lease: "1h" }, "'lease_max' is a required parameter"),
    bad("config/lease", { lease: "soon", lease_max: "1h" }, "Invalid lease: "),
    bad("config/rotate-root", {}, "no configuration found for config/root"),
    bad("static-roles/s", { rotation_period: "1h" }, 'missing "username" parameter'),
    bad("static-roles/s", { username: "u" }, 'missing "rotation_period" parameter'),
    bad(
      "static-roles/s",
      { username: "u", rotation_period: 59 },
      "role rotation period out of range: must be greater than 60.00 seconds",
    ),
    bad(
      "static-roles/s",
      { username: "u", rotation_period: 60, external_id: "x" },
      "external_id has no meaning without assume_role_arn",
    ),
    bad(
      "static-roles/s",
      { username: "u", rotation_period: 60, assume_role_arn: POLICY },
      "assume_role_arn is not the ARN of an IAM role",
    ),
    role({ credential_type: "assumed_role", role_arns: ROLE, iam_tags: ["a=b"] }, "cannot supply iam_tags"),
    role({ credential_type: "iam_user", external_id: "x" }, "cannot supply external_id"),
    role({ credential_type: "iam_user", mfa_serial_number: "x" }, "cannot supply mfa_serial_number"),
    role({ credential_type: "iam_user", iam_tags: ["novalue"] }, 'invalid key pair "novalue"'),
    role({ credential_type: "iam_user", default_sts_ttl: "soon" }, "default_sts_ttl"),
    bad("creds/none", {}, 'Role "none" not found'),
  ])("$path: $text", async ({ path, body, text }) => {
    const world = await AwsWorld.create();
    const refusal = refusalOf(await world.write(`aws/${path}`, body));
    expect(refusal.text).toContain(text);
    expect(refusal.status).toBe(400);
    await world.close();
  });

  test.each([
    { ttl: "13h", type: "assumed_role", more: { role_arns: ROLE }, min: 900, max: 43_200 },
    { ttl: "1m", type: "assumed_role", more: { role_arns: ROLE }, min: 900, max: 43_200 },
    { ttl: "37h", type: "federation_token", more: { policy_arns: POLICY }, min: 900, max: 129_600 },
    { ttl: "37h", type: "session_token", more: {}, min: 900, max: 129_600 },
  ])("a TTL of $ttl for $type is beyond what STS gives", async ({ ttl, type, more, min, max }) => {
    const world = await AwsWorld.create();
    await world.must("aws/roles/r", { credential_type: type, ...more });
    const { status, text } = refusalOf(await world.read("aws/sts/r", { ttl }));
    expect(status).toBe(400);
    expect(text).toContain(`a token of the type ${type} lives between ${min} and ${max} seconds`);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test.each([
    { type: "assumed_role", text: "for a role that is assumed as another role; 7200 is not possible" },
    { type: "federation_token", text: "AWS gives a federation_token to the keys of an IAM user only" },
    { type: "session_token", text: "AWS gives a session_token to the keys of an IAM user only" },
  ])("a $type is refused that AWS would not give to a role", async ({ type, text }) => {
    const world = await AwsWorld.create();
    await world.must("aws/config/root", { access_key: "A", secret_key: "b", role_arn: ROLE });
    const more = type === "assumed_role" ? { role_arns: ROLE } : {};
    await world.must("aws/roles/r", { credential_type: type, ...more });
    const refusal = refusalOf(await world.read("aws/sts/r", { ttl: "2h" }));
    expect(refusal.text).toContain(text);
    expect(refusal.status).toBe(400);
    await world.close();
  });

  test("everything that is wrong with a role is told at once, in Vault's form", async () => {
    const world = await AwsWorld.create();
    const body = { credential_type: "federation_token", role_arns: ROLE, user_path: "/x/" };
    expect(refusalOf(await world.write("aws/roles/r", body))).toEqual({
      status: 400,
      text: String.raw`error(s) validating supplied role data: "2 errors occurred:\n\t* cannot supply role_arns when credential_type isn't assumed_role\n\t* user_path parameter only valid for iam_user credential type\n\n"`,
    });
    await world.close();
  });

  test("what is shown has Vault's fields", async () => {
    const world = await AwsWorld.create();
    const fieldsOf = async (path: string): Promise<string[]> =>
      Object.keys((await world.issue(`aws/${path}`)).data).sort();
    await world.must("aws/roles/r", { credential_type: "session_token" });
    expect(await fieldsOf("roles/r")).toEqual([
      ...["credential_type", "default_sts_ttl", "external_id", "iam_groups", "iam_tags", "max_sts_ttl"],
      ...["mfa_serial_number", "permissions_boundary_arn", "policy_arns", "policy_document", "role_arns"],
      ...["session_tags", "user_path"],
    ]);
    await world.must("aws/config/root", { region: "eu-west-1" });
    expect(await fieldsOf("config/root")).toEqual([
      ...["access_key", "disable_automated_rotation", "iam_endpoint", "max_retries", "region", "role_arn"],
      ...["rotation_period", "rotation_schedule", "rotation_window", "sts_endpoint"],
      ...["sts_fallback_endpoints", "sts_fallback_regions", "sts_region", "username_template"],
    ]);
    await world.close();
  });

  test("what is written is shown: roles, TTLs, and a root configuration without its secret", async () => {
    const world = await AwsWorld.create();
    await world.must("aws/roles/a@b", {
      credential_type: "iam_user",
      policy_arns: `${POLICY},arn:aws-us-gov:iam::aws:policy/X,arn:aws-cn:iam::123456789012:policy/p/Y`,
    });
    const shown = await world.issue("aws/roles/a@b");
    expect(shown.data).toMatchObject({ credential_type: "iam_user", user_path: "/", role_arns: [] });
    expect(shown.data.policy_arns).toHaveLength(3);
    await world.must("aws/config/lease", { lease: "30m", lease_max: "12h" });
    expect((await world.issue("aws/config/lease")).data).toEqual({ lease: "30m0s", lease_max: "12h0m0s" });
    expect((await world.read("aws/config/root")).status).toBe(404);
    await world.must("aws/config/root", { access_key: "AKIA", secret_key: "hush", region: "cn-north-1" });
    await world.must("aws/config/root", { max_retries: 4 });
    const root = await world.issue("aws/config/root");
    expect(root.data).toMatchObject({ access_key: "AKIA", region: "cn-north-1", max_retries: 4 });
    expect(JSON.stringify(root)).not.toContain("hush");
    await world.close();
  });
});

describe("Names", () => {
  test("built-in names are within AWS's limits and characters, whatever the caller is called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (displayName, roleName) => {
        const labels = { displayName, roleName };
        expect(chooseName("IAM", "", labels, context)).toMatch(
          /^vault-[\w+=,.@-]{1,42}-1700000000-\w{1,20}$/,
        );
        expect(chooseName("IAM", "", labels, context).length).toBeLessThanOrEqual(64);
        expect(chooseName("STS", "", labels, context)).toMatch(/^vault-1700000000-\w{15}$/);
      }),
    );
  });

  test("a template's name that is too long for its kind is refused", () => {
    const labels = { displayName: "d", roleName: "r" };
    const template = "{{ random 40 }}";
    expect(chooseName("IAM", template, labels, context)).toHaveLength(40);
    expect(() => chooseName("STS", template, labels, context)).toThrow(
      "the username generated by the template exceeds the STS username length limits of 32 chars",
    );
    expect(() => chooseName("IAM", "{{ random 65 }}", labels, context)).toThrow(
      "exceeds the IAM username length limits of 64 chars",
    );
  });

  test.each([
    ["", true],
    ["x-{{ random 20 }}", true],
    ["x-{{ random 8 }}", true],
    ["x-{{ random 4 }}", false],
    ["x-{{ uuid }}", true],
    ["x-{{ unix_time }}", false],
  ])("template %j: unique is %p", (template, unique) => {
    expect(isNameUnique(template)).toBe(unique);
  });

  test("normal names keep what AWS takes", () => {
    expect(normalName("a/b c@d.e")).toBe("a_b_c@d.e");
  });
});

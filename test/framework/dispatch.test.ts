import { describe, expect, test } from "bun:test";
import { ApiError, aggregate } from "../../src/base/errors.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { type Backend, path } from "../../src/framework/backend.ts";
import { dispatch, isCreate, type MountRequest, matchPath } from "../../src/framework/dispatch.ts";
import { sampleBackend } from "./sample-backend.ts";

function request(operation: MountRequest["operation"], path: string, data: JsonObject = {}): MountRequest {
  return { operation, path, data, displayName: "token" };
}

async function refusal(
  backend: Backend,
  asked: MountRequest,
): Promise<{ status: number; errors: readonly string[] }> {
  const error = await dispatch(backend, asked).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw new TypeError("no ApiError was thrown", { cause: error });
  return { status: error.status, errors: error.errors };
}

const UNSUPPORTED_PATH = { status: 404, errors: [aggregate("unsupported path")] };
const UNSUPPORTED_OPERATION = { status: 405, errors: [aggregate("unsupported operation")] };

describe("a request", () => {
  test("reaches its handler with its fields, and is answered by it", async () => {
    const roles = new Map<string, JsonObject>();
    const backend = sampleBackend(roles);
    const written = await dispatch(
      backend,
      request("update", "roles/dev", { default_ttl: "2h", statements: ["a"] }),
    );
    expect(written).toBeUndefined();
    expect(await dispatch(backend, request("read", "roles/dev"))).toEqual({
      data: { operation: "create", minutes: 120, statements: ["a"] },
    });
  });

  test("answers nothing when its handler does, without warnings", async () => {
    expect(await dispatch(sampleBackend(), request("update", "roles/dev", { bogus: 1 }))).toBeUndefined();
  });

  test("with a body that is no JSON reaches only the path that takes its type", async () => {
    const seen: (Uint8Array | null)[] = [];
    const ocsp = path({
      pattern: "ocsp",
      fields: {},
      takesContent: "application/ocsp-request",
      help: { synopsis: "Ask." },
      operations: {
        update: {
          summary: "Ask.",
          handler: async ({ content }) => {
            seen.push(content);
            return { bytes: Buffer.of(1), contentType: "application/ocsp-response" };
          },
        },
      },
    });
    const backend = { ...sampleBackend(), paths: [ocsp, ...sampleBackend().paths] };
    const content = { type: "application/ocsp-request", bytes: Buffer.of(0x30, 0) };
    expect(await dispatch(backend, { ...request("update", "ocsp"), content })).toEqual({
      bytes: Buffer.of(1),
      contentType: "application/ocsp-response",
    });
    await dispatch(backend, request("update", "ocsp", { bogus: 1 }));
    expect(seen).toEqual([content.bytes, null]);
    const refused = { status: 400, errors: ["failed to decode JSON input: it is not valid JSON"] };
    expect(await refusal(backend, { ...request("update", "roles/dev"), content })).toEqual(refused);
    const other = { ...content, type: "application/timestamp-query" };
    expect(await refusal(backend, { ...request("update", "ocsp"), content: other })).toEqual(refused);
  });

  test.each(["roles", "roles/"])("lists %s", async (path) => {
    const backend = sampleBackend(new Map([["a", {}]]));
    expect(await dispatch(backend, request("list", path))).toEqual({ data: { keys: ["a"] } });
  });

  test("lists below a folder, whose trailing slash is not part of its name", async () => {
    expect(await dispatch(sampleBackend(), request("list", "secret/a/b/"))).toEqual({
      data: { keys: ["a/b"] },
    });
  });

  test("carries the caller's token only where it is handed on", async () => {
    const asked = request("read", "whoami");
    const answers = [
      await dispatch(sampleBackend(), asked),
      await dispatch(sampleBackend(), { ...asked, token: "t" }),
    ];
    expect(answers.map((reply) => reply?.data)).toEqual([
      { displayName: "token", clientToken: "" },
      { displayName: "token", clientToken: "t" },
    ]);
  });

  test("is shown the body without what the URL gave", async () => {
    const reply = await dispatch(sampleBackend(), request("update", "secret/a", { x: 1 }));
    expect(reply).toEqual({ data: { x: 1 } });
  });
});

describe("a write", () => {
  test("is a create until the thing exists, then an update", async () => {
    const roles = new Map<string, JsonObject>();
    const backend = sampleBackend(roles);
    for (const operation of ["create", "update"]) {
      await dispatch(backend, request("update", "roles/dev"));
      expect(roles.get("dev")?.operation).toBe(operation);
    }
  });

  test("believes a caller who asked already", async () => {
    const roles = new Map<string, JsonObject>();
    await dispatch(sampleBackend(roles), { ...request("update", "roles/dev"), create: false });
    expect(roles.get("dev")?.operation).toBe("update");
  });

  test("is known as a create before it is done", async () => {
    const backend = sampleBackend(new Map([["old", {}]]));
    expect(await isCreate(backend, request("update", "roles/new"))).toBe(true);
    expect(await isCreate(backend, request("update", "roles/old"))).toBe(false);
    expect(await isCreate(backend, request("update", "secret/new"))).toBe(false);
    expect(await isCreate(backend, request("update", "nowhere"))).toBe(false);
    expect(await isCreate(backend, request("read", "roles/new"))).toBe(false);
  });
});

describe("an answer with a body warns", () => {
  test("of parameters that were ignored, sorted", async () => {
    const reply = await dispatch(
      sampleBackend(),
      request("update", "roles/dev", { kind: "key", b: 1, a: 2 }),
    );
    expect(reply).toEqual({
      data: { kind: "KEY" },
      warnings: ["Endpoint ignored these unrecognized parameters: [a b]"],
    });
  });

  test("of parameters that the URL replaced", async () => {
    const reply = await dispatch(
      sampleBackend(),
      request("update", "roles/dev", { kind: "key", name: "other" }),
    );
    expect(reply?.warnings).toEqual([
      "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [name]",
    ]);
  });

  test("of nothing where any parameter is welcome, or where there is no envelope", async () => {
    expect(await dispatch(sampleBackend(), request("update", "secret/a", { any: 1 }))).toEqual({
      data: { any: 1 },
    });
    expect(await dispatch(sampleBackend(), request("read", "raw", { any: "1" }))).toEqual({ bare: "text" });
    expect(await dispatch(sampleBackend(), request("delete", "whoami", { any: "1" }))).toEqual({
      status: 204,
    });
  });
});

describe("a request is refused", () => {
  test.each<[string, MountRequest, { status: number; errors: string[] }]>([
    ["on a path that is not there", request("read", "nowhere"), UNSUPPORTED_PATH],
    ["on the mount itself", request("read", ""), UNSUPPORTED_PATH],
    ["with an empty segment", request("read", "roles//a"), UNSUPPORTED_PATH],
    ["with an encoded dot", request("read", "roles/%2e"), UNSUPPORTED_PATH],
    ["for an operation that is not there", request("delete", "roles"), UNSUPPORTED_OPERATION],
    ["for reading what can only be listed", request("read", "roles/"), UNSUPPORTED_OPERATION],
    ["for help, which no path has", request("help", "roles/dev"), UNSUPPORTED_OPERATION],
    [
      "plainly where no token is needed",
      request("read", "login"),
      { status: 405, errors: ["unsupported operation"] },
    ],
    ["for reading a folder", request("read", "secret/a/"), { status: 404, errors: [] }],
    [
      "for writing to a folder",
      request("update", "roles/"),
      { status: 400, errors: ["cannot write to a path ending in '/'"] },
    ],
    [
      "for patching a folder",
      request("patch", "roles/a/"),
      { status: 400, errors: ["cannot write to a path ending in '/'"] },
    ],
    [
      "for going up",
      request("read", "secret/../a"),
      { status: 400, errors: ["relative paths not supported"] },
    ],
    ["for a dot", request("read", "secret/./a"), { status: 400, errors: ["relative paths not supported"] }],
    [
      "for a field of the wrong type",
      request("update", "roles/dev", { default_ttl: "soon" }),
      {
        status: 400,
        errors: [
          'Field validation failed: error converting input for field "default_ttl": time: invalid duration "soon"',
        ],
      },
    ],
  ])("%s", async (_name, asked, wanted) => {
    expect(await refusal(sampleBackend(), asked)).toEqual(wanted);
  });

  test("for its field even before its existence is asked", async () => {
    const backend = sampleBackend();
    await expect(isCreate(backend, request("update", "roles/dev", { old_ttl: [] }))).rejects.toThrow(
      ApiError,
    );
  });
});

test("what a path needs is known before it runs", () => {
  const backend = sampleBackend();
  expect(matchPath(backend, "login")?.spec.unauthenticated).toBe(true);
  expect(matchPath(backend, "secret/x")?.spec.sudo).toBe(true);
  expect(matchPath(backend, "roles/x")?.spec.sudo).toBeUndefined();
});

import { expect, test } from "bun:test";
import { headersThrough } from "../../src/core/mounts/headers.ts";
import type { MountEntry } from "../../src/core/mounts/table.ts";

function mount(extra: MountEntry["config"]["extra"]): MountEntry {
  const config = { defaultLeaseTtlSeconds: 0, maxLeaseTtlSeconds: 0, forceNoCache: false, extra };
  return { path: "pki/", config } as unknown as MountEntry;
}

const SET = { "Replay-Nonce": "n", Location: "/l", "Set-Cookie": "c" };

test("a mount lets no header through unless it was tuned to", () => {
  expect(headersThrough(mount({}), "allowed_response_headers", SET)).toEqual({});
  expect(headersThrough(mount({ allowed_response_headers: [] }), "allowed_response_headers", SET)).toEqual(
    {},
  );
});

test("a mount lets through what it was tuned to, whatever the case, and for its own direction only", () => {
  const tuned = mount({ allowed_response_headers: ["replay-nonce", "LOCATION", "Link"] });
  expect(headersThrough(tuned, "allowed_response_headers", SET)).toEqual({
    "Replay-Nonce": "n",
    Location: "/l",
  });
  expect(headersThrough(tuned, "passthrough_request_headers", { location: "/l" })).toEqual({});
});

import { describe, expect, test } from "bun:test";
import { helpText } from "../../src/framework/help.ts";
import { sampleBackend } from "./sample-backend.ts";

describe("help", () => {
  test("of a path shows its route, parameters, operations and description", () => {
    expect(helpText(sampleBackend(), "roles/dev")).toBe(`Request:        roles/dev
Matching Route: roles/:name

Manage a role.

## PARAMETERS

    default_ttl (duration (sec))

        How long a credential lives.
        Default: 3600.

    kind (string)

        What is handed out.
        One of: password, key.
        Default: password.

    name (string, required)

        The role's name.

    old_ttl (int, deprecated)

        Use default_ttl.

    secret (string)

        Known to the role alone.

    statements (slice)

        What makes a user.

## OPERATIONS

    read:    Show a role.
    update:  Write a role.
    patch:   Change a role.
    delete:  Delete a role.

## DESCRIPTION

A role says what its credentials may do.`);
  });

  test("of the mount lists its paths with what they are for", () => {
    const text = helpText(sampleBackend(), "") ?? "";
    expect(text).toStartWith("## DESCRIPTION\n\nKeeps roles and hands out nothing.\n\n## PATHS\n\n");
    expect(text).toEndWith(
      [
        ["certs", "Count certificates."],
        ["login", "Log in."],
        ["raw", "Answer without an envelope."],
        ["roles", "List the roles."],
        ["roles/:name", "Manage a role."],
        ["secret/*path", "Keep a secret."],
        ["whoami", "Show the caller."],
      ]
        .map(([pattern, synopsis]) => `\n\n    ${pattern}\n        ${synopsis}`)
        .join(""),
    );
  });

  test("takes a pattern as the listing shows it", () => {
    expect(helpText(sampleBackend(), "roles/:name")).toContain("Matching Route: roles/:name");
    expect(helpText(sampleBackend(), "secret/*path")).toContain("Needs the sudo capability.");
  });

  test("says where no token is needed", () => {
    expect(helpText(sampleBackend(), "login")).toContain("Needs no token.");
  });

  test("of a path that is not there is nothing", () => {
    expect(helpText(sampleBackend(), "nowhere")).toBeUndefined();
    expect(helpText(sampleBackend(), "roles/../x")).toBeUndefined();
  });

  test("keeps to 80 columns, and to the line breaks of a description", () => {
    const backend = { ...sampleBackend(), help: `${"word ".repeat(40)}\n\nSecond paragraph.` };
    const lines = (helpText(backend, "") ?? "").split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines).toContain("Second paragraph.");
  });
});

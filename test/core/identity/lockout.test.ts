import { describe, expect, test } from "bun:test";
import { ApiError } from "../../../src/base/errors.ts";
import { lockedAliases, loginGuard } from "../../../src/core/identity/lockout.ts";
import { InvalidCredentials } from "../../../src/framework/auth.ts";
import { newWorld } from "../../barrier/world.ts";

const wrong = async (): Promise<never> => {
  throw new InvalidCredentials("wrong");
};

async function guarded() {
  const deps = await newWorld();
  return { ...deps, guard: loginGuard(deps, "auth_x_1", () => null) };
}

async function textOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return "none";
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

describe("the guard of logins", () => {
  test("counts each of five wrong attempts that end at the same time", async () => {
    const { guard } = await guarded();
    await Promise.all(Array.from({ length: 5 }, () => textOf(guard.attempt("bob", wrong))));
    expect(await textOf(guard.attempt("bob", async () => "in"))).toBe("permission denied");
  });

  test("refuses a right attempt that began before the name was locked and ends after", async () => {
    const { guard } = await guarded();
    const slow = Promise.withResolvers<string>();
    const late = textOf(guard.attempt("bob", () => slow.promise));
    for (let attempt = 1; attempt <= 5; attempt += 1) await textOf(guard.attempt("bob", wrong));
    slow.resolve("in");
    expect(await late).toBe("permission denied");
  });

  test("begins to count anew after a right attempt", async () => {
    const { guard } = await guarded();
    for (let attempt = 1; attempt <= 4; attempt += 1) await textOf(guard.attempt("bob", wrong));
    await guard.attempt("bob", async () => "in");
    for (let attempt = 1; attempt <= 4; attempt += 1) await textOf(guard.attempt("bob", wrong));
    expect(await textOf(guard.attempt("bob", async () => "in"))).toBe("none");
  });

  test("counts wrong credentials and no other failures", async () => {
    const { guard } = await guarded();
    const broken = async (): Promise<never> => {
      throw new ApiError(500, "the backend is down");
    };
    for (let attempt = 1; attempt <= 9; attempt += 1) await textOf(guard.attempt("bob", broken));
    expect(await textOf(guard.attempt("bob", async () => "in"))).toBe("none");
  });

  test("is not prolonged by attempts while it holds", async () => {
    const { guard, clock } = await guarded();
    for (let attempt = 1; attempt <= 5; attempt += 1) await textOf(guard.attempt("bob", wrong));
    clock.advance(899_000);
    expect(await textOf(guard.attempt("bob", wrong))).toBe("permission denied");
    clock.advance(1_000);
    expect(await textOf(guard.attempt("bob", async () => "in"))).toBe("none");
  });

  test("is shared by processes, and kept by what a name is and not by its text", async () => {
    const { guard, barrier, clock, open } = await guarded();
    const odd = `../${"x".repeat(3000)}\u0000`;
    for (let attempt = 1; attempt <= 5; attempt += 1) await textOf(guard.attempt(odd, wrong));
    const other = { barrier: await open(), clock };
    expect(await textOf(loginGuard(other, "auth_x_1", () => null).attempt(odd, async () => "in"))).toBe(
      "permission denied",
    );
    expect(await lockedAliases({ barrier, clock })).toEqual(new Map([["auth_x_1", [odd]]]));
    expect(await textOf(loginGuard(other, "auth_y_2", () => null).attempt(odd, async () => "in"))).toBe(
      "none",
    );
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../binary/built.ts";
import { postgresMissing } from "../servers/postgres.ts";
import { Arena } from "./arena.ts";
import { AWS_OPERATIONS } from "./aws-operations.ts";
import { INIT_PASSES, LEASE_OPERATIONS, passedBy, ROTATE, ROTATE_ROOT_DUE, SETTLE } from "./operations.ts";
import { PKI_PASSES } from "./pki-passes.ts";
import { STATIC_OPERATIONS } from "./static-operations.ts";

const OPERATIONS = [...LEASE_OPERATIONS, ROTATE, SETTLE, ROTATE_ROOT_DUE, ...STATIC_OPERATIONS];

describe.skipIf(postgresMissing(18) !== undefined)("the places where a kill is tried", () => {
  let arena: Arena;
  beforeAll(async () => {
    arena = await Arena.open(18);
  });
  afterAll(() => arena?.close());

  test.each(OPERATIONS)(
    "$name passes exactly the failpoints that its kills are tried at",
    async (operation) => {
      const at = await arena.enter();
      await operation.prepare?.(at);
      const { ended, passes } = await passedBy(at, operation);
      expect({ code: ended.code, passes }).toEqual({
        code: operation.code ?? 0,
        passes: [...operation.passes],
      });
    },
  );

  test("no failpoint of the sources is left out", () => {
    const sources = readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(path.join(ROOT, "src", file), "utf8"));
    const named = sources.flatMap((text) =>
      [...text.matchAll(/^\s*failpoint\("([^"]+)"\);$/gm)].map(([, name]) => name),
    );
    const passed = [...OPERATIONS, ...AWS_OPERATIONS].flatMap(({ passes }) => passes);
    const tried = new Set<string>([...INIT_PASSES, ...PKI_PASSES, ...passed]);
    // Those of the plugin for MySQL and of preflights are passed in killed-with-mariadb.test.ts. test/engines/pki/acme cuts a finalizing order off
    // in process: it takes a minute until another process may try.
    const left = [...new Set(named)].filter(
      (name = "") => !tried.has(name) && !/^(?:drop-users|preflight|acme-finalize):/.test(name),
    );
    expect(left).toEqual([]);
  });
});

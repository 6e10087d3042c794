import { expect, test } from "bun:test";
import { grantToHandOn, problemText } from "../../../src/engines/database/trial.ts";

test.each([
  ["GRANT SELECT ON app.* TO 'v-u'@'%'", "GRANT SELECT ON app.* TO me WITH GRANT OPTION"],
  [
    'grant select, insert\n  on all tables in schema public to "v-u"',
    "GRANT select, insert ON all tables in schema public TO me WITH GRANT OPTION",
  ],
  ['GRANT readers, "the writers" TO "v-u"', 'GRANT readers, "the writers" TO me WITH ADMIN OPTION'],
  ["GRANT SELECT (id) ON t TO u WITH GRANT OPTION", "GRANT SELECT (id) ON t TO me WITH GRANT OPTION"],
  ["CREATE USER 'v-u'@'%' IDENTIFIED BY 'x'", undefined],
  ["SELECT make_user('v-u')", undefined],
])("who is to run %j has to hold %j", (statement, grant) => {
  expect(grantToHandOn(statement, "me")).toBe(grant);
});

test("a problem is one sentence, with what would help where that is known", () => {
  const problem = { what: "make a user", words: "permission denied (42501)" };
  expect(problemText(problem, "")).toBe("the administrator cannot make a user: permission denied (42501)");
  expect(problemText({ ...problem, remedy: "ALTER ROLE x CREATEROLE" }, "x")).toBe(
    'the administrator "x" cannot make a user: permission denied (42501); grant it with: ALTER ROLE x CREATEROLE',
  );
});

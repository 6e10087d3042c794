import { describe, expect, test } from "bun:test";
import { hasPassword, withoutPassword } from "../../../src/engines/database/url-password.ts";

describe("a connection_url is shown without its password", () => {
  test.each([
    ["postgresql://u:hunter2@h:5432/db?sslmode=disable", "postgresql://u:xxxxx@h:5432/db?sslmode=disable"],
    ["postgresql://u:hun@ter2@h1:1,h2:2/db", "postgresql://u:xxxxx@h1:1,h2:2/db"],
    ["postgresql://{{username}}:hunter2@h/db", "postgresql://{{username}}:xxxxx@h/db"],
    ["postgresql://u@h/db?password=hunter2&a=b", "postgresql://u@h/db?password=xxxxx&a=b"],
    ["host=h user=u password=hunter2 dbname=d", "host=h user=u password=xxxxx dbname=d"],
    ["host=h password = 'hun ter2' dbname=d", "host=h password = xxxxx dbname=d"],
    ["mongodb+srv://u:hunter2@h/admin", "mongodb+srv://u:xxxxx@h/admin"],
    ["bob:hun:t@er2@tcp(db:3306)/app", "bob:xxxxx@tcp(db:3306)/app"],
    ["server=h;user id=u;password=hun ter2;database=d", "server=h;user id=u;password=xxxxx;database=d"],
    ['odbc:server=h;PWD="hun;ter2";app name=x', "odbc:server=h;PWD=xxxxx;app name=x"],
    ["server=h;pwd={hun;ter2};database=d", "server=h;pwd=xxxxx;database=d"],
    ["sqlserver://u:hunter2@h:1433?database=d", "sqlserver://u:xxxxx@h:1433?database=d"],
    ["scott/hunter2@h:1521/X", "scott/xxxxx@h:1521/X"],
  ])("%s", (url, shown) => {
    expect(hasPassword(url)).toBe(true);
    expect(withoutPassword(url)).toBe(shown);
  });
});

test.each([
  "postgresql://{{username}}:{{password}}@h1,h2/db",
  "postgresql://u@h/db",
  "host=h user={{username}} password={{password}}",
  "{{username}}:{{password}}@tcp(h:3306)/db?timeout=5s",
  "server=h;user id={{username}};password={{password}};database=d",
  "server=h;user id={{username}};password={{{password}}}",
  "{{username}}/{{password}}@h:1521/X",
  "",
])("%s has none", (url) => {
  expect(hasPassword(url)).toBe(false);
  expect(withoutPassword(url)).toBe(url);
});

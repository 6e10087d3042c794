/** What is changed in sources, ours and others', on their way into the program. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { BunPlugin } from "bun";

/** A call of a failpoint as a statement of its own. Names are literals, so that a search finds every one. */
const FAILPOINT_STATEMENT = /^[ \t]*failpoint\("[^"\n]*"\);[ \t]*$/gm;
const FAILPOINT_CALL = /\bfailpoint\(/;

class BuildError extends Error {}

/** Takes the failpoints out of the sources before they are compiled: not even their names reach the release. */
export const withoutFailpoints: BunPlugin = {
  name: "without-failpoints",
  setup(build) {
    build.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, "utf8");
      if (file.endsWith(path.join("base", "failpoint.ts"))) return { contents: source, loader: "ts" };
      const contents = source.replace(FAILPOINT_STATEMENT, "");
      if (FAILPOINT_CALL.test(contents))
        throw new BuildError(
          `${file}: write a failpoint as a statement of its own: failpoint("area:place");`,
        );
      return { contents, loader: "ts" };
    });
  },
};

/** What the driver of Microsoft SQL Server loads for logins at Azure, which no connection here can ask for. */
const AZURE = /^@azure\/(?:core-auth|identity|keyvault-keys)$/;

/** Puts a module of nothing in the place of Azure's libraries: several megabytes, loaded with the driver. */
export const withoutAzure: BunPlugin = {
  name: "without-azure",
  setup(build) {
    build.onResolve({ filter: AZURE }, ({ path: name }) => ({ path: name, namespace: "without-azure" }));
    build.onLoad({ filter: AZURE, namespace: "without-azure" }, () => ({
      // Answers what is asked at load, and in a connection that has no such login.
      contents: "module.exports = { isTokenCredential: () => false };",
      loader: "js",
    }));
  },
};

/**
 * The driver of Oracle names its own folder when it looks for its native half, which is never asked for. Compiled in, that
 * would be the folder of the build.
 */
export const withoutBuildFolder: BunPlugin = {
  name: "without-build-folder",
  setup(build) {
    build.onLoad({ filter: /[/\\]oracledb[/\\]lib[/\\]oracledb\.js$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, "utf8")).replaceAll("__dirname", '"."'),
      loader: "js",
    }));
  },
};

/** Puts {@link file://./pg-crypto.ts} in the place of the functions that pg logs in by. */
export const withDirectCrypto: BunPlugin = {
  name: "with-direct-crypto",
  setup(build) {
    build.onLoad({ filter: /[/\\]pg[/\\]lib[/\\]crypto[/\\]utils\.js$/ }, async () => ({
      contents: await readFile(path.join(import.meta.dirname, "pg-crypto.ts"), "utf8"),
      loader: "ts",
    }));
  },
};

/** certbot, the ACME client that most people have, in a Python environment below `.cache`, which is made on first use. */

import { PythonEnvironment } from "./python.ts";

const VERSION = "5.8.0";
const ENVIRONMENT = new PythonEnvironment("certbot", VERSION, [`certbot==${VERSION}`]);

/** Why it cannot be had on this machine; undefined: it can. Installs it when that was not done before. */
export function certbotMissing(): string | undefined {
  return ENVIRONMENT.missing();
}

/** A shell script that is certbot. (The program that pip installs names the folder in which it was installed at first.) */
export function certbotScript(): string {
  const main = "import sys; from certbot.main import main; sys.exit(main())";
  return `#!/bin/sh\nexec '${ENVIRONMENT.python}' -c '${main}' "$@"\n`;
}

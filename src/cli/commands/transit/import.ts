import { defineCommand } from "../../command.ts";
import { IMPORT_COMMAND, importKey } from "../../transit/import-key.ts";

export const command = defineCommand({
  ...IMPORT_COMMAND,
  description: `
Brings a key that was made elsewhere into a transit mount. KEY is its material in base64, or "@" and a file that holds that: the
bytes of a symmetric key, or PKCS #8 DER. It is wrapped here for the mount's wrapping key, so that nobody sees it on the way.

    $ vsec transit import transit/keys/mine @key.b64

What else the import takes is given as K=V:

    $ vsec transit import transit/keys/mine @rsa.b64 type=rsa-2048 allow_rotation=true`,
  run: (context, _flags, args) => importKey(context, "import", args),
});

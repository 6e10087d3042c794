import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { decodeWithOtp, OTP_CHARS } from "../../base/root-otp.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { RootStatus } from "../seal/generate-root.ts";
import { refusePgp } from "./key-answers.ts";
import type { SealControl } from "./seal-control.ts";

/**
 * `sys/generate-root/attempt` (also without its last word), `update`, `once`, and `sys/decode-token`. They need no token: the
 * keys speak for themselves. @see reference: encryption key, rekey, root token.
 */
export function generateRootPaths(control: SealControl): PathSpec[] {
  return [
    attemptPath(control, "generate-root"),
    attemptPath(control, "generate-root/attempt"),
    updatePath(control),
    oncePath(control),
    decodePath(),
  ];
}

function statusBody(status: RootStatus): JsonObject {
  return {
    nonce: status.nonce,
    started: status.started,
    progress: status.progress,
    required: status.required,
    complete: status.complete,
    encoded_token: status.encodedToken,
    encoded_root_token: status.encodedToken,
    pgp_fingerprint: "",
    otp: status.otp,
    otp_length: OTP_CHARS,
  };
}

function attemptPath(control: SealControl, pattern: string): PathSpec {
  return path({
    pattern,
    unauthenticated: true,
    fields: {
      otp: field.string({
        description: "The one-time password to encode the token with; absent: one is made and shown.",
        sensitive: true,
      }),
      pgp_key: field.string({ description: "Not supported." }),
    },
    help: { synopsis: "Start, show or cancel the generation of a root token." },
    operations: {
      read: {
        summary: "Show the generation's progress.",
        handler: async () => ({ bare: statusBody(await (await control.generateRoot()).status()) }),
      },
      update: {
        summary: "Start the generation of a root token.",
        handler: async ({ values: { otp, pgp_key } }) => {
          refusePgp({ pgp_key });
          return { bare: statusBody(await (await control.generateRoot()).start(otp)) };
        },
      },
      delete: {
        summary: "Cancel the generation.",
        handler: async () => {
          (await control.generateRoot()).cancel();
          return undefined;
        },
      },
    },
  });
}

function updatePath(control: SealControl): PathSpec {
  return path({
    pattern: "generate-root/update",
    unauthenticated: true,
    fields: {
      key: field.string({ description: "One of the store's keys.", sensitive: true }),
      nonce: field.string({ description: "The nonce of the generation." }),
    },
    help: { synopsis: "Give one of the store's keys for a root token." },
    operations: {
      update: {
        summary: "Give one of the store's keys; with the last one the encoded token is answered.",
        handler: async ({ values: { key, nonce } }) => ({
          bare: statusBody(await (await control.generateRoot()).give(key, nonce)),
        }),
      },
    },
  });
}

function oncePath(control: SealControl): PathSpec {
  return path({
    pattern: "generate-root/once",
    unauthenticated: true,
    fields: { key: field.string({ description: "The store's one key.", sensitive: true }) },
    help: {
      synopsis: "Make a root token for the holder of the store's one key.",
      description:
        "For a store whose key is not split: the passphrase, the value of VSEC_SEAL_KEY, or what the key file or the keychain holds. In the process that opened the store with that key, the key is not asked for.",
    },
    operations: {
      update: {
        summary: "Make a root token with the store's one key.",
        handler: async ({ values: { key } }) => ({
          bare: { root_token: await (await control.generateRoot()).once(key) },
        }),
      },
    },
  });
}

function decodePath(): PathSpec {
  return path({
    pattern: "decode-token",
    unauthenticated: true,
    fields: {
      encoded_token: field.string({ description: "The encoded token.", sensitive: true }),
      otp: field.string({ description: "Its one-time password.", sensitive: true }),
    },
    help: { synopsis: "Decode a token with the one-time password of its generation." },
    operations: {
      update: {
        summary: "Decode a token.",
        handler: async ({ values: { encoded_token: encoded, otp } }) => {
          if (encoded === "") throw badRequest("missing encoded token");
          if (otp === "") throw badRequest("missing otp");
          try {
            return { data: { token: decodeWithOtp(encoded, otp) } };
          } catch (error) {
            if (error instanceof SyntaxError) throw badRequest(error.message, error);
            throw error;
          }
        },
      },
    },
  });
}

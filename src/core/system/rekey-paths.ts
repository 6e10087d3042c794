import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { RekeyStatus, VerifyStatus } from "../seal/rekey.ts";
import { keysBody, refusePgp } from "./key-answers.ts";
import type { SealControl } from "./seal-control.ts";

/**
 * `sys/rekey/init`, `update`, `verify`, `backup`: bare answers, as Vault's. They need no token: the keys speak for
 * themselves. @see reference: encryption key, rekey, root token.
 */
export function rekeyPaths(control: SealControl): PathSpec[] {
  return [initPath(control), updatePath(control), verifyPath(control), backupPath(), ...recoveryPaths()];
}

const KEY_FIELDS = {
  key: field.string({ description: "One of the keys.", sensitive: true }),
  nonce: field.string({ description: "The nonce of the operation." }),
};

function statusBody(status: RekeyStatus): JsonObject {
  return {
    nonce: status.nonce,
    started: status.started,
    t: status.into.threshold,
    n: status.into.shares,
    progress: status.progress,
    required: status.required,
    pgp_fingerprints: null,
    backup: false,
    verification_required: status.verificationRequired,
    ...(status.verificationNonce === "" ? {} : { verification_nonce: status.verificationNonce }),
  };
}

function initPath(control: SealControl): PathSpec {
  return path({
    pattern: "rekey/init",
    unauthenticated: true,
    fields: {
      secret_shares: field.int({ description: "How many new shares there are to be." }),
      secret_threshold: field.int({ description: "How many of them are to unseal the store." }),
      pgp_keys: field.commaStringList({ description: "Not supported." }),
      backup: field.bool({ description: "Not supported: it needs PGP keys." }),
      require_verification: field.bool({
        description: "The new shares become valid once enough of them have been given back.",
      }),
    },
    help: { synopsis: "Start, show or cancel the replacement of the store's keys." },
    operations: {
      read: {
        summary: "Show the rekey's progress.",
        handler: async () => ({ bare: statusBody(await (await control.rekey()).status()) }),
      },
      update: {
        summary: "Start a rekey.",
        handler: async ({ values }) => {
          const { pgp_keys, backup, require_verification: verifies } = values;
          if (backup && pgp_keys.length === 0) {
            throw badRequest(
              "cannot request a backup of the new keys without providing PGP keys for encryption",
            );
          }
          refusePgp({ pgp_keys });
          const into = { shares: values.secret_shares, threshold: values.secret_threshold };
          return { bare: statusBody(await (await control.rekey()).start(into, verifies)) };
        },
      },
      delete: {
        summary: "Cancel the rekey; the present keys stay.",
        handler: async () => {
          (await control.rekey()).cancel();
          return undefined;
        },
      },
    },
  });
}

function updatePath(control: SealControl): PathSpec {
  return path({
    pattern: "rekey/update",
    unauthenticated: true,
    fields: KEY_FIELDS,
    help: { synopsis: "Give one of the present keys for a rekey." },
    operations: {
      update: {
        summary: "Give one of the present keys; with the last one the new ones are answered.",
        handler: async ({ values: { key, nonce } }) => {
          const rekey = await control.rekey();
          const done = await rekey.give(key, nonce);
          if (done === null) return { bare: statusBody(await rekey.status()) };
          const { verificationNonce, warnings } = done;
          return {
            bare: {
              nonce: done.nonce,
              complete: true,
              ...keysBody(done.shares),
              pgp_fingerprints: null,
              backup: false,
              verification_required: done.verificationRequired,
              ...(verificationNonce === "" ? {} : { verification_nonce: verificationNonce }),
              ...(warnings.length === 0 ? {} : { warnings }),
            },
          };
        },
      },
    },
  });
}

function verifyBody({ nonce, started, into, progress }: VerifyStatus): JsonObject {
  return { nonce, started, t: into.threshold, n: into.shares, progress };
}

function verifyPath(control: SealControl): PathSpec {
  return path({
    pattern: "rekey/verify",
    unauthenticated: true,
    fields: KEY_FIELDS,
    help: { synopsis: "Give back the new keys of a rekey, which makes them valid." },
    operations: {
      read: {
        summary: "Show the verification's progress.",
        handler: async () => ({ bare: verifyBody((await control.rekey()).verifyStatus()) }),
      },
      update: {
        summary: "Give back one of the new keys.",
        handler: async ({ values: { key, nonce } }) => {
          const rekey = await control.rekey();
          const done = await rekey.verify(key, nonce);
          if (done === null) return { bare: verifyBody(rekey.verifyStatus()) };
          const { warnings } = done;
          return {
            bare: { nonce: done.nonce, complete: true, ...(warnings.length === 0 ? {} : { warnings }) },
          };
        },
      },
      delete: {
        summary: "Begin the verification anew.",
        handler: async () => ({ bare: verifyBody((await control.rekey()).restartVerify()) }),
      },
    },
  });
}

/** A backup is of keys that are encrypted with PGP, so there never is one. */
function backupPath(): PathSpec {
  return path({
    pattern: "rekey/backup",
    sudo: true,
    fields: {},
    help: { synopsis: "Show or remove the backup of new keys; there is none, as it needs PGP keys." },
    operations: {
      read: {
        summary: "Show the backup of new keys.",
        handler: async () => {
          throw badRequest("no backed-up keys found");
        },
      },
      delete: { summary: "Remove the backup of new keys.", handler: async () => undefined },
    },
  });
}

/** No seal here has recovery keys: a seal of one key is rekeyed by that key. */
function recoveryPaths(): PathSpec[] {
  const handler = async (): Promise<never> => {
    throw badRequest("recovery rekeying not supported: no seal here has recovery keys");
  };
  const refused = { summary: "Refused: there are no recovery keys.", handler };
  return ["init", "update", "verify"].map((step) =>
    path({
      pattern: `rekey-recovery-key/${step}`,
      unauthenticated: true,
      takesAnyField: true,
      fields: {},
      help: { synopsis: "Replace recovery keys, which no seal here has." },
      operations: { read: refused, update: refused, delete: refused },
    }),
  );
}

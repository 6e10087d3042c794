import { type Split, splitRefusal } from "../../barrier/seals/split.ts";
import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { keysBody, refusePgp } from "./key-answers.ts";
import type { SealControl } from "./seal-control.ts";
import { statusBody } from "./status-paths.ts";

/** `sys/init`, `unseal`, `seal`: bare answers, as Vault's. @see reference: init and unseal. */
export function sealPaths(control: SealControl): PathSpec[] {
  return [initPath(control), unsealPath(control), sealPath(control)];
}

const SHAMIR = "shamir";

/** As Vault's command line splits where nothing else is said. */
const SPLIT_DEFAULT: Split = { shares: 5, threshold: 3 };

/** What init asks for, as the body has it; undefined: not given. */
interface InitWish {
  readonly type: string | undefined;
  readonly shares: number | undefined;
  readonly threshold: number | undefined;
}

/**
 * A seal's type, null for the best of this machine, or how a key is to be split: shares are asked for by their number.
 * @throws ApiError 400
 */
function sealFor({ type, shares, threshold }: InitWish): string | Split | null {
  const asksForShares = shares !== undefined || threshold !== undefined;
  if (type === undefined ? !asksForShares : type !== SHAMIR) {
    if (asksForShares && ((shares ?? 1) !== 1 || (threshold ?? 1) !== 1)) {
      const names = "secret_shares,secret_threshold";
      throw badRequest(`parameters ${names} not applicable to seal type ${type}, which has one key`);
    }
    return type ?? null;
  }
  const split = asksForShares ? { shares: shares ?? 0, threshold: threshold ?? 0 } : SPLIT_DEFAULT;
  const refusal = splitRefusal(split);
  if (refusal !== undefined) throw badRequest(`invalid seal configuration: ${refusal}`);
  return split;
}

/** @throws ApiError 400 for recovery keys, which no seal here has. */
function refuseRecovery(shares: number, threshold: number, seal: string | Split | null): void {
  if (shares === 0 && threshold === 0) return;
  const type = seal === null ? "" : typeof seal === "string" ? ` ${seal}` : ` ${SHAMIR}`;
  throw badRequest(`parameters recovery_shares,recovery_threshold not applicable to seal type${type}`);
}

const INIT_FIELDS = {
  seal: field.map({
    description:
      'How the root key is kept: {"type": …}. By default in shares where their number is given, else the best this machine has.',
  }),
  secret_shares: field.int({ description: "Into how many shares the key of a Shamir seal is split." }),
  secret_threshold: field.int({ description: "How many shares unseal." }),
  pgp_keys: field.commaStringList({ description: "Not supported." }),
  root_token_pgp_key: field.string({ description: "Not supported." }),
  recovery_shares: field.int({ description: "Not applicable: no seal here has recovery keys." }),
  recovery_threshold: field.int({ description: "Not applicable: no seal here has recovery keys." }),
  recovery_pgp_keys: field.commaStringList({ description: "Not supported." }),
};

function initPath(control: SealControl): PathSpec {
  return path({
    pattern: "init",
    unauthenticated: true,
    fields: INIT_FIELDS,
    help: { synopsis: "Tell whether the store is initialised, or initialise it." },
    operations: {
      read: {
        summary: "Tell whether the store is initialised.",
        handler: async () => ({ bare: { initialized: (await control.state()).initialized } }),
      },
      update: {
        summary: "Initialise a new store.",
        handler: async ({ values, given }) => {
          const { pgp_keys, root_token_pgp_key, recovery_pgp_keys } = values;
          refusePgp({ pgp_keys, root_token_pgp_key, recovery_pgp_keys });
          const wanted = sealFor({
            type: typeof values.seal.type === "string" ? values.seal.type : undefined,
            shares: given.secret_shares,
            threshold: given.secret_threshold,
          });
          refuseRecovery(values.recovery_shares, values.recovery_threshold, wanted);
          const { rootToken, keys, seal } = await control.init(wanted);
          return { bare: { ...keysBody(keys), root_token: rootToken, seal } };
        },
      },
    },
  });
}

function unsealPath(control: SealControl): PathSpec {
  return path({
    pattern: "unseal",
    unauthenticated: true,
    fields: {
      key: field.string({ description: "One share of the key; or the passphrase.", sensitive: true }),
      reset: field.bool({ description: "Forget the shares that were given so far." }),
      migrate: field.bool({ description: "Not supported: a seal is changed by rekeying." }),
    },
    help: { synopsis: "Unseal the store." },
    operations: {
      update: {
        summary: "Unseal the store.",
        handler: async ({ values: { key, reset, migrate } }) => {
          if (key === "" && !reset) {
            throw badRequest("'key' must be specified in request body as JSON, or 'reset' set to true");
          }
          if (migrate) {
            throw badRequest("'migrate' is not supported: rekey the unsealed store to change its seal");
          }
          await (reset ? control.resetUnseal() : control.unseal(key));
          return { bare: statusBody(await control.state()) };
        },
      },
    },
  });
}

function sealPath(control: SealControl): PathSpec {
  return path({
    pattern: "seal",
    sudo: true,
    fields: {},
    help: { synopsis: "Seal the store: what an unseal has left is forgotten." },
    operations: {
      update: {
        summary: "Seal the store.",
        handler: async () => {
          await control.seal();
          return undefined;
        },
      },
    },
  });
}

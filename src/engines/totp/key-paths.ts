import { badRequest, messageOf } from "../../base/errors.ts";
import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import { NAME_WITH_AT } from "../../framework/path-match.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { deleteKey, listKeys, readKey, type TotpKey, writeKey } from "./key.ts";
import { keyUrl, parseKeyUrl } from "./key-url.ts";
import { ALGORITHMS } from "./one-time-password.ts";

const FIELDS = {
  name: field.string({ description: "The key's name." }),
  generate: field.bool({
    description: "Make the shared secret here, for codes that others give.",
    default: false,
  }),
  exported: field.bool({ description: "Show what was made: a URL and a barcode.", default: true }),
  key_size: field.int({ description: "Bytes of a secret that is made.", default: 20 }),
  key: field.string({ description: "The shared secret in base32.", sensitive: true }),
  issuer: field.string({ description: "Who the account is with. Required for keys that are made." }),
  account_name: field.string({ description: "Whose the key is. Required for keys that are made." }),
  period: field.duration({ description: "For how long a code is good.", default: 30 }),
  algorithm: field.string({ description: "The hash function.", default: "SHA1", allowed: ALGORITHMS }),
  digits: field.int({ description: "Of a code.", default: 6, allowed: [6, 8] }),
  skew: field.int({
    description: "How many periods before and after the present one a code that is checked may be of.",
    default: 1,
    allowed: [0, 1],
  }),
  qr_size: field.int({ description: "Width and height of the barcode in pixels; 0 for none.", default: 200 }),
  url: field.string({
    description: "Everything in one: otpauth://totp/Issuer:Account?secret=…",
    sensitive: true,
  }),
};

type Request = EngineRequest<typeof FIELDS>;

/** `keys` and `keys/:name`. @see reference: TOTP. */
export function keyPaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "keys",
      fields: PAGE_FIELDS,
      help: { synopsis: "List the keys." },
      operations: {
        list: {
          summary: "List the keys.",
          handler: async ({ values }) => ({ data: { keys: pageOf(await listKeys(storage), values) } }),
        },
      },
    }),
    path({
      pattern: "keys/:name",
      captures: { name: NAME_WITH_AT },
      fields: FIELDS,
      help: {
        synopsis: "Keep a key for one-time codes.",
        description:
          "Either one that others made, to give its codes, or one that is made here, to check codes.",
      },
      operations: {
        read: {
          summary: "Show a key without its secret.",
          handler: async ({ values }) => {
            const key = await readKey(storage, values.name);
            return key === null ? undefined : { data: describe(key) };
          },
        },
        update: { summary: "Make or replace a key.", handler: (request) => write(context, request) },
        delete: {
          summary: "Delete a key.",
          handler: async ({ values }) => {
            await deleteKey(storage, values.name);
            return undefined;
          },
        },
      },
    }),
  ];
}

function describe({ accountName, algorithm, digits, issuer, periodSeconds }: TotpKey) {
  return { account_name: accountName, algorithm, digits, issuer, period: periodSeconds };
}

const SIZE_MAX = 4096;

async function write(context: MountContext, request: Request): Promise<Reply | undefined> {
  const { values } = request;
  if (values.generate) return generate(context, values);
  await writeKey(context.storage, values.name, givenKey(values));
  return undefined;
}

async function generate(
  { storage, random }: MountContext,
  values: Request["values"],
): Promise<Reply | undefined> {
  if (values.key !== "") throw badRequest("a key should not be passed if generate is true");
  if (values.url !== "") throw badRequest("a url should not be passed if generate is true");
  if (values.key_size <= 0) throw badRequest("the key_size value must be greater than zero");
  if (values.qr_size < 0) throw badRequest("the qr_size value must be greater than or equal to zero");
  if (values.key_size > SIZE_MAX) throw badRequest(`the key_size value must be at most ${SIZE_MAX}`);
  if (values.qr_size > SIZE_MAX) throw badRequest(`the qr_size value must be at most ${SIZE_MAX}`);
  if (values.issuer === "") throw badRequest("the issuer value is required for generated keys");
  if (values.account_name === "") throw badRequest("the account_name value is required for generated keys");
  const key = checkedKey({
    ...values,
    accountName: values.account_name,
    secret: encodeBase32(random.bytes(values.key_size)),
    periodSeconds: values.period,
  });
  const url = keyUrl(key);
  const picture = values.exported && values.qr_size > 0 ? await drawn(url, values.qr_size) : {};
  await writeKey(storage, values.name, key);
  return values.exported ? { data: { url, ...picture } } : undefined;
}

async function drawn(url: string, size: number): Promise<{ barcode: string }> {
  const { barcode } = await import("./barcode.ts");
  return { barcode: (await barcode(url, size)).toString("base64") };
}

/** A key that others made, from the parameters or a URL, which wins. */
function givenKey(values: Request["values"]): TotpKey {
  const given = {
    issuer: values.issuer,
    accountName: values.account_name,
    secret: values.key,
    algorithm: values.algorithm,
    digits: values.digits,
    periodSeconds: values.period,
    skew: values.skew,
  };
  if (values.url === "") return checkedKey(given);
  const url = parseKeyUrl(values.url);
  return checkedKey({
    ...given,
    issuer: url.issuer,
    accountName: url.accountName,
    secret: url.secret,
    algorithm: url.algorithm ?? given.algorithm,
    digits: url.digits ?? given.digits,
    periodSeconds: url.periodSeconds ?? given.periodSeconds,
  });
}

interface Unchecked {
  readonly issuer: string;
  readonly accountName: string;
  readonly secret: string;
  readonly algorithm: string;
  readonly digits: number;
  readonly periodSeconds: number;
  readonly skew: number;
}

/** @throws ApiError 400 with Vault's texts. */
function checkedKey({
  issuer,
  accountName,
  secret,
  algorithm,
  digits,
  periodSeconds,
  skew,
}: Unchecked): TotpKey {
  if (secret === "") throw badRequest("the key value is required");
  let bytes: Buffer;
  try {
    bytes = decodeBase32(secret.replaceAll(/\s/g, ""));
  } catch (error) {
    throw badRequest(`invalid key value: ${messageOf(error)}`);
  }
  if (bytes.length === 0) throw badRequest("the key value is required");
  if (periodSeconds <= 0) throw badRequest("the period value must be greater than zero");
  if (skew !== 0 && skew !== 1) throw badRequest("the skew value must be 0 or 1");
  if (digits !== 6 && digits !== 8) throw badRequest("the digits value can only be 6 or 8");
  const known = ALGORITHMS.find((name) => name === algorithm);
  if (known === undefined) throw badRequest("the algorithm value is not valid");
  return {
    v: 1,
    secret: encodeBase32(bytes),
    issuer,
    accountName,
    algorithm: known,
    digits,
    periodSeconds,
    skew,
  };
}

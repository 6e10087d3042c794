import { badRequest, messageOf } from "../../base/errors.ts";
import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../framework/backend.ts";
import { field, type Given, type Values } from "../../framework/field.ts";
import { NAME_WITH_AT } from "../../framework/path-match.ts";
import { filledRole } from "./fill-role.ts";
import { issueCertificate, readPublicKey, type SignRequest, sizesFor } from "./issue.ts";
import { type KeyWish, newPrivateKey, privateKeyText, readKeyWish } from "./private-key.ts";
import { parsePublicKey, publicKeyLine } from "./public-key.ts";
import { type CaRole, type Role, readRole } from "./role.ts";

const COMMON = {
  role: field.string({ description: "The role." }),
  ttl: field.duration({ description: "How long the certificate is good; 0 for the role's." }),
  valid_principals: field.string({ description: "The users or hosts it is for, with commas." }),
  cert_type: field.string({ description: "user or host.", default: "user", allowed: ["user", "host"] }),
  key_id: field.string({ description: "The key id, where the role lets requests choose it." }),
  critical_options: field.kvPairs({ description: "Critical options, in place of the role's." }),
  extensions: field.kvPairs({ description: "Extensions, in place of the role's." }),
};

const SIGN_FIELDS = {
  ...COMMON,
  public_key: field.string({ description: "The key, as a line of an authorized_keys file.", required: true }),
};

const ISSUE_FIELDS = {
  ...COMMON,
  key_type: field.string({ description: "Of the new key: rsa, ec or ed25519.", default: "rsa" }),
  key_bits: field.int({ description: "Of the new key; 0 for the usual size.", default: 0 }),
};

/** `sign/:role` and `issue/:role`. @see reference: SSH. */
export function signPaths(context: MountContext): PathSpec[] {
  return [
    path({
      pattern: "sign/:role",
      captures: { role: NAME_WITH_AT },
      fields: SIGN_FIELDS,
      help: { synopsis: "Sign a public key." },
      operations: {
        update: { summary: "Sign a public key.", handler: (request) => signKey(context, request) },
      },
    }),
    path({
      pattern: "issue/:role",
      captures: { role: NAME_WITH_AT },
      fields: ISSUE_FIELDS,
      help: {
        synopsis: "Make a key and sign it.",
        description: "The private key is shown once and kept nowhere.",
      },
      operations: {
        update: { summary: "Make a key and sign it.", handler: (request) => issueKey(context, request) },
      },
    }),
  ];
}

async function signKey(context: MountContext, request: EngineRequest<typeof SIGN_FIELDS>): Promise<Reply> {
  const { values, given, displayName } = request;
  const found = await roleNamed(context, values.role);
  if (found.keyType !== "ca") throw badRequest(`role key type '${found.keyType}' not allowed to sign keys`);
  const role = await filledFor(found, request);
  const publicKey = readPublicKey(role, values.public_key);
  const signed = await issueCertificate(context, { ...asked(values, given, displayName, role), publicKey });
  return { data: { serial_number: signed.serial, signed_key: signed.signedKey } };
}

async function issueKey(context: MountContext, request: EngineRequest<typeof ISSUE_FIELDS>): Promise<Reply> {
  const { values, given, displayName } = request;
  const found = await roleNamed(context, values.role);
  if (found.keyType !== "ca") {
    throw badRequest(`role key type '${found.keyType}' not allowed to issue key pairs`);
  }
  const role = await filledFor(found, request);
  const privateKey = await newPrivateKey(keyWish(role, values.key_type, values.key_bits));
  const publicKey = parsePublicKey(publicKeyLine(privateKey));
  const signed = await issueCertificate(context, { ...asked(values, given, displayName, role), publicKey });
  return {
    data: {
      private_key: privateKeyText(privateKey),
      private_key_type: values.key_type,
      serial_number: signed.serial,
      signed_key: signed.signedKey,
    },
  };
}

async function roleNamed({ storage }: MountContext, name: string): Promise<Role> {
  const role = await readRole(storage, name);
  if (role === null) throw badRequest(`Unknown role: ${name}`);
  return role;
}

function filledFor(
  role: CaRole,
  { values, given, fillTemplate }: Pick<EngineRequest<typeof COMMON>, "values" | "given" | "fillTemplate">,
): Promise<CaRole> {
  return filledRole(role, {
    fillTemplate,
    namesPrincipals: values.valid_principals !== "" || values.cert_type !== "user",
    namesExtensions: Object.keys(given.extensions ?? {}).length > 0,
  });
}

function keyWish(role: CaRole, type: string, bits: number): KeyWish {
  let wish: KeyWish;
  try {
    // An RSA key for a user need not be as large as an authority's.
    wish = readKeyWish(type, bits === 0 && type.endsWith("rsa") ? 2048 : bits);
  } catch (error) {
    throw badRequest(messageOf(error), error);
  }
  if (Object.keys(role.allowedUserKeyLengths).length === 0) return wish;
  const sizes = sizesFor(role, wish.kind);
  if (sizes === null) throw badRequest("provided key_type value not in allowed_user_key_types");
  if (wish.kind !== "ed25519" && !sizes.includes(wish.bits)) {
    throw badRequest("provided key_bits value not in list of role's allowed_user_key_lengths");
  }
  return wish;
}

function asked(
  values: Values<typeof COMMON>,
  given: Given<typeof COMMON>,
  displayName: string,
  role: CaRole,
): Omit<SignRequest, "publicKey"> {
  return {
    roleName: values.role,
    role,
    displayName,
    ttlSeconds: values.ttl,
    principals: values.valid_principals,
    type: values.cert_type,
    keyId: values.key_id,
    criticalOptions: given.critical_options,
    extensions: given.extensions,
  };
}

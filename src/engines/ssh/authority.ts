import type { KeyObject } from "node:crypto";
import { badRequest, hasCode, messageOf } from "../../base/errors.ts";
import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { type KeyWish, newPrivateKey, parsePrivateKey, readKeyWish } from "./private-key.ts";
import { parsePublicKey, publicKeyLine } from "./public-key.ts";

const ENTRY = "config/ca";

/** The keys that certificates are signed with. */
export interface Authority {
  readonly privateKey: KeyObject;
  /** A line of an authorized_keys file. */
  readonly publicLine: string;
}

/** Null: there are no keys yet. */
export async function readAuthority(storage: EngineStorage): Promise<Authority | null> {
  const entry = await storage.get(ENTRY);
  if (entry === null) return null;
  return {
    privateKey: parsePrivateKey(String(entry.value.privateKey)),
    publicLine: String(entry.value.publicLine),
  };
}

const FIELDS = {
  private_key: field.string({ description: "The private key, in PEM or OpenSSH's form.", sensitive: true }),
  public_key: field.string({ description: "The public key, as a line of an authorized_keys file." }),
  generate_signing_key: field.bool({ description: "Make the keys here.", default: true }),
  key_type: field.string({
    description:
      "Of keys that are made: ssh-rsa, ecdsa-sha2-nistp256, …384, …521, ssh-ed25519, or rsa, ec, ed25519.",
    default: "ssh-rsa",
  }),
  key_bits: field.int({ description: "Of keys that are made; 0 for RSA 4096 and P-256.", default: 0 }),
};

/** `config/ca` and `public_key`. @see reference: SSH. */
export function authorityPaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "config/ca",
      fields: FIELDS,
      help: { synopsis: "Show, set or delete the keys that certificates are signed with." },
      operations: {
        read: {
          summary: "Show the public key.",
          handler: async () => {
            const authority = await readAuthority(storage);
            if (authority === null) throw badRequest("keys haven't been configured yet");
            return { data: { public_key: authority.publicLine } };
          },
        },
        update: { summary: "Make or set the keys.", handler: (request) => configure(storage, request) },
        delete: {
          summary: "Delete the keys.",
          handler: async () => {
            await storage.commit([{ op: "delete", key: ENTRY }]);
            return undefined;
          },
        },
      },
    }),
    path({
      pattern: "public_key",
      fields: {},
      unauthenticated: true,
      help: { synopsis: "Give the public key, for sshd's TrustedUserCAKeys." },
      operations: {
        read: {
          summary: "Give the public key.",
          handler: async () => {
            const authority = await readAuthority(storage);
            return authority === null ? undefined : { bare: authority.publicLine, contentType: "text/plain" };
          },
        },
      },
    }),
  ];
}

async function configure(
  storage: EngineStorage,
  { values, given }: EngineRequest<typeof FIELDS>,
): Promise<Reply | undefined> {
  const isGiven = values.private_key !== "" || values.public_key !== "";
  if ((values.private_key === "") !== (values.public_key === "")) {
    throw badRequest(
      "only one of public_key and private_key set; both must be set to use, or both must be blank to auto-generate",
    );
  }
  if (isGiven && given.generate_signing_key === true) {
    throw badRequest("public_key and private_key must not be set when generate_signing_key is set to true");
  }
  if (!isGiven && !values.generate_signing_key) {
    throw badRequest("missing public_key");
  }
  if ((await storage.get(ENTRY)) !== null) throw badRequest(CONFIGURED);
  const privateKey = isGiven ? givenKey(values) : await newPrivateKey(wish(values));
  const publicLine = publicKeyLine(privateKey);
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  try {
    await storage.commit([
      { op: "put", key: ENTRY, value: { v: 1, privateKey: pem, publicLine }, expect: 0 },
    ]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw badRequest(CONFIGURED);
  }
  return isGiven ? undefined : { data: { public_key: publicLine } };
}

const CONFIGURED = "keys are already configured; delete them before reconfiguring";

function wish({ key_type: type, key_bits: bits }: { key_type: string; key_bits: number }): KeyWish {
  try {
    return readKeyWish(type, bits);
  } catch (error) {
    throw badRequest(messageOf(error), error);
  }
}

function givenKey({
  private_key: text,
  public_key: line,
}: {
  private_key: string;
  public_key: string;
}): KeyObject {
  let privateKey: KeyObject;
  try {
    privateKey = parsePrivateKey(text);
  } catch (error) {
    throw badRequest(`could not parse private_key: ${messageOf(error)}`);
  }
  try {
    const { blob } = parsePublicKey(line);
    if (publicKeyLine(privateKey).split(" ")[1]?.trim() === blob.toString("base64")) return privateKey;
  } catch (error) {
    throw badRequest(`could not parse public_key: ${messageOf(error)}`, error);
  }
  throw badRequest("public_key is not the public half of private_key");
}

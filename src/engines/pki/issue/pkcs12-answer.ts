import type { KeyObject } from "node:crypto";
import type { JsonObject } from "../../../base/json.ts";
import { randomString } from "../../../base/random.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { privateKeyDer } from "../x509/keys.ts";
import { buildPkcs12 } from "../x509/pkcs12.ts";
import type { Issued } from "./answer.ts";

/** The format of a PKCS#12 bundle, which only paths that make a key have. */
export const PKCS12_FORMAT = "pkcs12";

/** 62 characters to choose from: more than 128 bits. */
const PASSWORD_CHARS = 24;

/**
 * An answer with a PKCS#12 bundle of key, certificate and chain, as base64, in place of the plain key.
 * @param answer - As it is in PEM.
 * @param password - Empty: one is made, and answered with the bundle.
 */
export function withPkcs12(
  { random }: Pick<MountContext, "random">,
  { private_key: _plain, ...answer }: JsonObject,
  { der, chain }: Issued,
  key: KeyObject,
  { common_name, pkcs12_password }: { readonly common_name: string; readonly pkcs12_password: string },
): JsonObject {
  const isGiven = pkcs12_password !== "";
  const password = isGiven ? pkcs12_password : randomString(random, PASSWORD_CHARS);
  const contents = {
    privateKey: privateKeyDer(key, "pkcs8"),
    certificate: der,
    chain,
    friendlyName: common_name === "" ? "vsec" : common_name,
  };
  return {
    ...answer,
    pkcs12: buildPkcs12(contents, password, random).toString("base64"),
    ...(isGiven ? {} : { pkcs12_password: password }),
  };
}

import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { type CaSet, changeCas } from "../issuers/change.ts";
import { type Authority, readAuthority } from "../issuers/record.ts";

/** `config/issuers`, `config/keys` and `root/replace`. @see reference: PKI configuration. */
export function defaultPaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  const describe = (authority: Pick<Authority, "defaultIssuer" | "defaultFollowsLatest">): JsonObject => ({
    default: authority.defaultIssuer,
    default_follows_latest_issuer: authority.defaultFollowsLatest,
  });
  const setDefault = async (ref: string, follows?: boolean): Promise<JsonObject> =>
    changeCas(context, (present) => {
      const issuer = ref === "" ? undefined : issuerIn(present, ref);
      const set = {
        ...present,
        defaultIssuer: issuer?.id ?? present.defaultIssuer,
        defaultFollowsLatest: follows ?? present.defaultFollowsLatest,
      };
      return { set, result: describe(set) };
    });
  return [
    path({
      pattern: "config/issuers",
      fields: {
        default: field.string({ description: "The default issuer: its id or its name." }),
        default_follows_latest_issuer: field.bool({
          description: "An issuer that is generated or imported with its key becomes the default.",
        }),
      },
      help: { synopsis: "Show or change which issuer is the default." },
      operations: {
        read: {
          summary: "Show the default issuer.",
          handler: async () => ({ data: describe((await readAuthority(storage)).authority) }),
        },
        update: {
          summary: "Change the default issuer.",
          handler: async ({ values, given }) => {
            if (given.default === undefined && given.default_follows_latest_issuer === undefined) {
              throw badRequest("Invalid issuer specification; must be non-empty and can't be 'default'.");
            }
            if (given.default !== undefined) checkRef(values.default);
            return { data: await setDefault(values.default, given.default_follows_latest_issuer) };
          },
        },
      },
    }),
    path({
      pattern: "root/replace",
      fields: {
        default: field.string({ description: "The issuer that becomes the default.", default: "next" }),
      },
      help: { synopsis: "Make another issuer, such as the next root, the default." },
      operations: {
        update: {
          summary: "Replace the default issuer.",
          handler: async ({ values }) => {
            checkRef(values.default);
            return { data: await setDefault(values.default) };
          },
        },
      },
    }),
    keysPath(context),
  ];
}

function keysPath(context: MountContext): PathSpec {
  const { storage } = context;
  return path({
    pattern: "config/keys",
    fields: { default: field.string({ description: "The default key: its id or its name." }) },
    help: { synopsis: "Show or change which key is the default." },
    operations: {
      read: {
        summary: "Show the default key.",
        handler: async () => ({ data: { default: (await readAuthority(storage)).authority.defaultKey } }),
      },
      update: {
        summary: "Change the default key.",
        handler: async ({ values }) => {
          if (values.default === "" || values.default === "default") {
            throw badRequest("Invalid key specification; must be non-empty and can't be 'default'.");
          }
          const data = await changeCas(context, (present) => {
            const key = present.keys.find(({ id, name }) => id === values.default || name === values.default);
            if (key === undefined)
              throw badRequest(`unable to find PKI key for reference: ${values.default}`);
            return { set: { ...present, defaultKey: key.id }, result: { default: key.id } };
          });
          return { data };
        },
      },
    },
  });
}

function checkRef(ref: string): void {
  if (ref !== "" && ref !== "default") return;
  throw badRequest("Invalid issuer specification; must be non-empty and can't be 'default'.");
}

function issuerIn({ issuers }: CaSet, ref: string) {
  const issuer = issuers.find(({ id, name }) => id === ref || name === ref);
  if (issuer === undefined) throw badRequest(`unable to find PKI issuer for reference: ${ref}`);
  return issuer;
}

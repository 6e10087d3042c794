import { isIP } from "node:net";
import { isAddressIn } from "../../base/cidr.ts";
import { badRequest } from "../../base/errors.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { NAME_WITH_AT } from "../../framework/path-match.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { planOneTime, takeOneTime } from "./one-time-secret.ts";
import { listOf, listRoles, type OtpRole, readRole } from "./role.ts";
import { zeroAddressRoles } from "./zero-address.ts";

const ECHO_REQUEST = "verify-echo-request";
const ECHO_RESPONSE = "verify-echo-response";

/** `creds/:role`, `verify` and `lookup`. @see reference: SSH. */
export function otpPaths(context: MountContext): PathSpec[] {
  return [credsPath(context), verifyPath(context), lookupPath(context)];
}

function credsPath(context: MountContext): PathSpec {
  return path({
    pattern: "creds/:role",
    captures: { role: NAME_WITH_AT },
    fields: {
      role: field.string({ description: "The role." }),
      username: field.string({ description: "Who logs in; without it the role's default user." }),
      ip: field.string({ description: "The host's address.", required: true }),
    },
    help: { synopsis: "Issue a one-time password for a host." },
    operations: {
      update: {
        summary: "Issue a one-time password.",
        handler: async ({ values }) => {
          const { role: roleName, ip } = values;
          const role = await readRole(context.storage, roleName);
          if (role === null) throw badRequest(`Role "${roleName}" not found`);
          if (role.keyType !== "otp") throw badRequest("role key type unknown");
          checkAddress(ip);
          await checkHost(context.storage, roleName, role, ip);
          const username = userFor(role, values.username);
          return { lease: planOneTime(context, { username, ip, roleName }, role.port) };
        },
      },
    },
  });
}

function userFor({ defaultUser, allowedUsers }: OtpRole, asked: string): string {
  if (asked === "") {
    if (defaultUser === "") throw badRequest("No default username registered. Use 'username' option");
    return defaultUser;
  }
  const allowed = listOf(allowedUsers);
  if (asked === defaultUser || allowed.includes("*") || allowed.includes(asked)) return asked;
  throw badRequest("Username is not present is allowed users list");
}

function checkAddress(ip: string): void {
  if (ip === "") throw badRequest("Missing ip");
  if (isIP(ip) === 0) throw badRequest(`Invalid IP ${JSON.stringify(ip)}`);
}

/** @throws ApiError 400 for a host that the role is not for. */
async function checkHost(storage: EngineStorage, name: string, role: OtpRole, ip: string): Promise<void> {
  if ((await zeroAddressRoles(storage)).includes(name) || isHostOf(role, ip)) return;
  throw badRequest("IP does not belong to role");
}

function isHostOf({ cidrList, excludeCidrList }: OtpRole, ip: string): boolean {
  return isAddressIn(ip, listOf(cidrList)) && !isAddressIn(ip, listOf(excludeCidrList));
}

function verifyPath(context: MountContext): PathSpec {
  return path({
    pattern: "verify",
    fields: { otp: field.string({ description: "The one-time password.", required: true, sensitive: true }) },
    unauthenticated: true,
    help: {
      synopsis: "Say what a one-time password is for, and use it up.",
      description: "For the host that somebody logs in to. The password is what gives the right to ask.",
    },
    operations: {
      update: {
        summary: "Use a one-time password up.",
        handler: async ({ values: { otp } }) => {
          if (otp === ECHO_REQUEST) return { data: { message: ECHO_RESPONSE } };
          const found = otp === "" ? null : await takeOneTime(context, otp);
          if (found === null) throw badRequest("OTP not found");
          return { data: { ip: found.ip, role_name: found.roleName, username: found.username } };
        },
      },
    },
  });
}

function lookupPath({ storage }: MountContext): PathSpec {
  return path({
    pattern: "lookup",
    fields: { ip: field.string({ description: "The host's address.", required: true }) },
    help: { synopsis: "List the roles that are for a host." },
    operations: {
      update: {
        summary: "List the roles of a host.",
        handler: async ({ values: { ip } }) => {
          checkAddress(ip);
          const names = await listRoles(storage);
          const roles = await Promise.all(names.map((name) => readRole(storage, name)));
          const matching = names.filter((_, index) => {
            const role = roles[index];
            return role?.keyType === "otp" && isHostOf(role, ip);
          });
          const found = new Set([...matching, ...(await zeroAddressRoles(storage))]);
          return { data: { roles: [...found].sort() } };
        },
      },
    },
  });
}

/** Where vsec is killed at its work for AWS: one emulator, and for every kill a store of its own, with a role of its own. */

import { cpSync } from "node:fs";
import { CreateUserCommand, ListAccessKeysCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import { type AwsServer, configureRoot, initAws, startAws } from "../e2e/aws.ts";
import { World } from "../e2e/world.ts";
import { ALLOW_ALL, errorNameOf, identityOf, newAdmin } from "../engines/aws/fixture.ts";
import { KillCase } from "./case.ts";

/** Users' leases are of this length. */
export const TTL_MS = 3600_000;
/** Longer than a lease or a rotation waits for a process that is gone: creating a user may take five minutes. */
export const RECOVERY_MS = 700_000;

export class AwsArena {
  readonly aws: AwsServer;
  readonly #template = new World("vsec-failpoints");
  readonly #cases: AwsCase[] = [];

  private constructor(aws: AwsServer) {
    this.aws = aws;
  }

  static async open(): Promise<AwsArena> {
    const arena = new AwsArena(await startAws());
    await initAws(arena.#template, arena.aws);
    return arena;
  }

  async enter(): Promise<AwsCase> {
    const world = new World("vsec-failpoints", { VSEC_SWEEP: "off" });
    cpSync(this.#template.store, world.store, { recursive: true });
    cpSync(this.#template.tokenFile, world.tokenFile);
    const entered = new AwsCase(this.aws, world, `c${this.#cases.length + 1}`);
    this.#cases.push(entered);
    await world.ok([
      "write",
      `aws/roles/${entered.role}`,
      "credential_type=iam_user",
      `policy_document=${ALLOW_ALL}`,
    ]);
    return entered;
  }

  async close(): Promise<void> {
    for (const { world } of this.#cases) world.remove();
    this.#template.remove();
    await this.aws.moto.stop();
  }
}

export class AwsCase extends KillCase {
  readonly aws: AwsServer;

  constructor(aws: AwsServer, world: World, role: string) {
    super(world, `aws/creds/${role}`, role, RECOVERY_MS);
    this.aws = aws;
  }

  /** The name of a user beside the engine's: an administrator of this case's own, or a static role's. */
  get otherUser(): string {
    return `other-${this.role}`;
  }

  async users(): Promise<string[]> {
    const { Users: users = [] } = await this.aws.iam.send(new ListUsersCommand({ MaxItems: 1000 }));
    return users.flatMap(({ UserName: name = "" }) =>
      name.startsWith(`vault-root-${this.role}-`) ? [name] : [],
    );
  }

  /** The ids of the other user's access keys. */
  async otherKeys(): Promise<string[]> {
    const { AccessKeyMetadata: keys = [] } = await this.aws.iam.send(
      new ListAccessKeysCommand({ UserName: this.otherUser }),
    );
    return keys.map(({ AccessKeyId: id }) => id ?? "").sort();
  }

  makeOtherUser(): Promise<unknown> {
    return this.aws.iam.send(new CreateUserCommand({ UserName: this.otherUser }));
  }

  /** Has the engine work with the keys of the other user, an administrator. */
  async useOtherUser(): Promise<void> {
    const keys = await newAdmin(this.aws.iam, this.otherUser);
    this.memory = keys.access_key;
    await configureRoot(this.world, this.aws.moto, keys);
  }

  /** Reads a path's data. */
  async data<T>(path: string): Promise<T> {
    const { data } = await this.world.json<{ data: T }>(`read ${path}`);
    return data;
  }

  /** Whether AWS takes keys. */
  async works(keys: { readonly access_key: string; readonly secret_key: string }): Promise<boolean> {
    const answer = identityOf(this.aws, { ...keys }).then(() => "");
    return (await answer.catch(() => errorNameOf(answer))) === "";
  }
}

import { expect, test } from "bun:test";
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  DeleteUserCommand,
  EnableMFADeviceCommand,
  GetUserCommand,
  PutUserPolicyCommand,
  UploadSigningCertificateCommand,
  UploadSSHPublicKeyCommand,
} from "@aws-sdk/client-iam";
import { CertificateAuthority } from "../../servers/certificates.ts";
import { temporaryDirectory } from "../../servers/process.ts";
import { ALLOW_ALL, engineUsers, errorNameOf, identityOf, withAws, worldOn } from "./fixture.ts";
import type { Fault, SeenRequest } from "./proxy.ts";
import { refusalOf } from "./world.ts";

const FIVE_MINUTES = 301;

withAws("Ending AWS users", (aws) => {
  const ready = async () => {
    const world = await worldOn(aws());
    await world.must("aws/roles/r", { credential_type: "iam_user", policy_document: ALLOW_ALL });
    return world;
  };

  test("a user that everything was attached to is deleted, its keys first", async () => {
    const { iam, proxy } = aws();
    const world = await ready();
    const { leaseId } = await world.issue("aws/creds/r");
    const [UserName = ""] = await engineUsers(aws());
    await iam.send(new CreateAccessKeyCommand({ UserName }));
    await iam.send(new CreateLoginProfileCommand({ UserName, Password: "Aa1!aaaaaaaa" }));
    const { VirtualMFADevice: device } = await iam.send(
      new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "phone" }),
    );
    const codes = { AuthenticationCode1: "123456", AuthenticationCode2: "654321" };
    await iam.send(new EnableMFADeviceCommand({ UserName, SerialNumber: device?.SerialNumber, ...codes }));
    const folder = temporaryDirectory("vsec-aws-cert-");
    const { cert } = new CertificateAuthority(folder.path).issue("someone", "");
    folder.remove();
    await iam.send(new UploadSigningCertificateCommand({ UserName, CertificateBody: cert }));
    await iam.send(new UploadSSHPublicKeyCommand({ UserName, SSHPublicKeyBody: "ssh-rsa AAAA" }));
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "more", PolicyDocument: ALLOW_ALL }));
    const { Policy: policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: "extra", PolicyDocument: ALLOW_ALL }),
    );
    await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: policy?.Arn ?? "" }));
    await iam.send(new CreateGroupCommand({ GroupName: "late" }));
    await iam.send(new AddUserToGroupCommand({ UserName, GroupName: "late" }));

    proxy.reset();
    // The emulator deletes a user with a password and the like; AWS does not, until they are gone.
    proxy.rule = ({ action, nth }) =>
      action === "DeleteUser" && nth === 1 ? { code: "DeleteConflict", status: 409 } : undefined;
    await world.must("sys/leases/revoke", { lease_id: leaseId });
    expect(await engineUsers(aws())).toEqual([]);
    const changes = proxy.actions.filter((action) => /^(Delete|Detach|Deactivate|Remove)/.test(action));
    expect(changes).toEqual([
      "DeleteAccessKey",
      "DeleteAccessKey",
      "DeleteUserPolicy",
      "DeleteUser",
      "DeleteLoginProfile",
      "DeactivateMFADevice",
      "DeleteSigningCertificate",
      "DeleteSSHPublicKey",
      "DeleteUserPolicy",
      "DetachUserPolicy",
      "RemoveUserFromGroup",
      "DeleteUser",
    ]);
    await world.close();
  });

  test("what stands in the way of a deletion is said, the keys are dead, and it is tried again", async () => {
    const { proxy } = aws();
    const world = await ready();
    const { leaseId, data } = await world.issue("aws/creds/r");
    proxy.rule = ({ action }) => {
      if (action === "DeleteUser") return { code: "DeleteConflict", status: 409 };
      return action === "DeleteLoginProfile" ? { code: "AccessDenied", status: 403 } : undefined;
    };
    const { text } = refusalOf(await world.write("sys/leases/revoke", { lease_id: leaseId, sync: true }));
    expect(text).toContain("login profile: AccessDenied");
    expect(await errorNameOf(identityOf(aws(), data))).toBe("InvalidClientTokenId");
    proxy.reset();
    world.advance(FIVE_MINUTES);
    await world.daemon();
    expect(await engineUsers(aws())).toEqual([]);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test("a user that somebody deleted by hand: young, it is looked for again; later its lease ends", async () => {
    const { iam, proxy } = aws();
    const world = await ready();
    const { leaseId } = await world.issue("aws/creds/r");
    for (const hidden of ["ListAccessKeys", "DeleteUser"]) {
      proxy.rule = ({ action }) => (action === hidden ? { code: "NoSuchEntity", status: 404 } : undefined);
      const { text } = refusalOf(await world.write("sys/leases/revoke", { lease_id: leaseId, sync: true }));
      expect(text).toContain("AWS may not show it yet");
      expect(await world.leases()).toHaveLength(1);
    }
    proxy.reset();
    // AWS shows it by now.
    world.advance(61);
    await world.daemon();
    expect(await engineUsers(aws())).toEqual([]);

    const other = await world.issue("aws/creds/r");
    const [UserName = ""] = await engineUsers(aws());
    world.advance(FIVE_MINUTES);
    await world.must("aws/config/root", { max_retries: 2 });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "r", PolicyDocument: ALLOW_ALL }));
    await removeByHand(UserName);
    await world.must("sys/leases/revoke", { lease_id: other.leaseId });
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  /** As an administrator in a hurry would. */
  async function removeByHand(UserName: string): Promise<void> {
    const { iam } = aws();
    const { DeleteUserPolicyCommand } = await import("@aws-sdk/client-iam");
    await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: "r" }));
    await iam.send(new DeleteUserCommand({ UserName }));
  }

  const deny: Fault = { code: "AccessDenied", status: 403 };
  const at = (action: string, fault: Fault, until = Number.POSITIVE_INFINITY) =>
    ({
      name: `${action}: ${typeof fault === "string" ? fault : fault.code}${until < 9 ? ` ${until} times` : ""}`,
      rule: (seen: SeenRequest) => (seen.action === action && seen.nth <= until ? fault : undefined),
    }) as const;

  const HEALED = [
    ...["CreateUser", "PutUserPolicy"].flatMap((action) => [
      at(action, "500", 2),
      at(action, "lose-answer", 1),
      at(action, "hang-after", 1),
    ]),
    at("CreateUser", "throttle", 1),
    at("CreateAccessKey", "lose-answer", 1),
  ];
  test.each(HEALED)("a passing fault is met by trying again ($name)", async ({ rule }) => {
    const world = await ready();
    aws().proxy.rule = rule;
    const { data, leaseId } = await world.issue("aws/creds/r");
    expect(await identityOf(aws(), data)).toContain("user/vault-");
    await world.must("sys/leases/revoke", { lease_id: leaseId });
    expect(await engineUsers(aws())).toEqual([]);
    await world.close();
  });

  const DELETIONS = ["ListAccessKeys", "DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"];
  const CLEARED = DELETIONS.flatMap((action) => [
    at(action, "500", 2),
    at(action, "lose-answer", 1),
    at(action, "hang-after", 1),
  ]);
  test.each([...CLEARED, at("DeleteAccessKey", "throttle", 1)])(
    "a fault in a deletion is met by trying again ($name)",
    async ({ rule }) => {
      const world = await ready();
      const { data, leaseId } = await world.issue("aws/creds/r");
      aws().proxy.reset();
      aws().proxy.rule = rule;
      await world.must("sys/leases/revoke", { lease_id: leaseId, sync: true });
      expect(await engineUsers(aws())).toEqual([]);
      expect(await errorNameOf(identityOf(aws(), data))).toBe("InvalidClientTokenId");
      expect(await world.leases()).toEqual([]);
      await world.close();
    },
  );

  const STUCK = DELETIONS.flatMap((action) => [at(action, deny), at(action, "500")]);
  test.each([...STUCK, at("DeleteUser", "throttle")])(
    "a deletion that fails for long is gone on with ($name)",
    async ({ rule }) => {
      const world = await ready();
      const { leaseId } = await world.issue("aws/creds/r");
      await world.must("aws/config/root", { max_retries: 0 });
      aws().proxy.reset();
      aws().proxy.rule = rule;
      const refusal = refusalOf(await world.write("sys/leases/revoke", { lease_id: leaseId, sync: true }));
      expect(refusal.text).toContain('IAM user "vault-root-r-');
      expect(await world.leases()).toHaveLength(1);
      aws().proxy.reset();
      await world.settle();
      expect(await engineUsers(aws())).toEqual([]);
      expect(await world.leases()).toEqual([]);
      await world.close();
    },
  );

  test("a user that AWS does not show at once is equipped as soon as it does", async () => {
    const { proxy } = aws();
    const world = await ready();
    const unknown: Fault = { code: "NoSuchEntity", status: 404 };
    proxy.rule = ({ action, nth }) => {
      if (action === "PutUserPolicy" && nth <= 3) return unknown;
      return action === "GetUser" ? unknown : undefined;
    };
    const { data, leaseId } = await world.issue("aws/creds/r");
    expect(await identityOf(aws(), data)).toContain("user/vault-");
    await world.must("sys/leases/revoke", { lease_id: leaseId });
    await world.close();
  });

  test("a policy that is not there is not waited for", async () => {
    const { proxy } = aws();
    const world = await ready();
    const arn = "arn:aws:iam::123456789012:policy/nowhere";
    await world.must("aws/roles/lost", { credential_type: "iam_user", policy_arns: arn });
    proxy.reset();
    expect(refusalOf(await world.read("aws/creds/lost")).text).toContain(
      "Error attaching user policy: NoSuchEntity",
    );
    expect(proxy.actions.filter((action) => action === "AttachUserPolicy")).toHaveLength(1);
    expect(await engineUsers(aws())).toEqual([]);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  const LASTING = [
    ...["CreateUser", "PutUserPolicy", "CreateAccessKey"].flatMap((action) => [
      at(action, deny),
      at(action, "lose-answer"),
    ]),
    at("CreateUser", "500"),
  ];
  test.each(LASTING)("a creation that fails for good leaves nothing behind ($name)", async ({ rule }) => {
    const world = await ready();
    await world.must("aws/config/root", { max_retries: 1 });
    aws().proxy.rule = rule;
    expect((await world.read("aws/creds/r")).status).toBeGreaterThanOrEqual(400);
    aws().proxy.reset();
    await world.settle();
    expect(await engineUsers(aws())).toEqual([]);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test("an account that has no room for another user is said at once, and leaves no lease", async () => {
    const world = await ready();
    aws().proxy.reset();
    aws().proxy.rule = ({ action }) =>
      action === "CreateUser" ? { code: "LimitExceeded", status: 409 } : undefined;
    expect(refusalOf(await world.read("aws/creds/r"))).toEqual({
      status: 400,
      text: "Error creating IAM user: LimitExceeded: refused by the test",
    });
    expect(aws().proxy.actions).toEqual(["CreateUser"]);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test("throttling that does not pass is said with a status of its own", async () => {
    const world = await ready();
    await world.must("aws/config/root", { max_retries: 0 });
    aws().proxy.rule = ({ action }) => (action === "CreateUser" ? "throttle" : undefined);
    expect(refusalOf(await world.read("aws/creds/r"))).toEqual({
      status: 502,
      text: "upstream rate limited",
    });
    await world.close();
  });

  const STEPS = ["CreateUser", "PutUserPolicy", "CreateAccessKey"].flatMap((action) => [
    { action, when: "before" as const },
    { action, when: "after" as const },
  ]);
  test.each(STEPS)("a process that dies $when $action leaves no user", async ({ action, when }) => {
    const { proxy } = aws();
    const world = await ready();
    proxy.rule = (seen) => {
      if (seen.action !== action) return undefined;
      world.die();
      return when === "after" ? "lose-answer" : { code: "AccessDenied", status: 403 };
    };
    await world.read("aws/creds/r").catch(() => undefined);
    proxy.reset();
    expect(await world.leases()).toHaveLength(1);
    await world.settle();
    expect(await engineUsers(aws())).toEqual([]);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test("a process that dies in the middle of a deletion leaves no user", async () => {
    const { proxy } = aws();
    for (const action of ["DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]) {
      const world = await ready();
      const { leaseId } = await world.issue("aws/creds/r");
      proxy.reset();
      proxy.rule = (seen) => {
        if (seen.action !== action) return undefined;
        world.die();
        return "lose-answer";
      };
      await world.write("sys/leases/revoke", { lease_id: leaseId, sync: true }).catch(() => undefined);
      proxy.reset();
      await world.settle();
      expect(await engineUsers(aws())).toEqual([]);
      expect(await world.leases()).toEqual([]);
      await world.close();
    }
  });

  test("with a template without chance in it, somebody else's user of that name is never touched", async () => {
    const { iam, proxy } = aws();
    const world = await ready();
    await world.must("aws/config/root", { username_template: "fixed-{{.PolicyName}}" });
    await iam.send(new CreateUserCommand({ UserName: "fixed-r" }));
    expect(refusalOf(await world.read("aws/creds/r")).text).toContain('"fixed-r" exists already');
    // The look before it does not see the user: AWS says so when it is to be made.
    proxy.rule = ({ action }) => (action === "GetUser" ? { code: "NoSuchEntity", status: 404 } : undefined);
    expect(refusalOf(await world.read("aws/creds/r")).text).toContain("EntityAlreadyExists");
    proxy.reset();
    await world.settle();
    const { User: user } = await iam.send(new GetUserCommand({ UserName: "fixed-r" }));
    expect(user?.UserName).toBe("fixed-r");
    await iam.send(new DeleteUserCommand({ UserName: "fixed-r" }));
    await world.close();
  });

  test("a user whose turn does not come within a batch's time is no failure, and gets it later", async () => {
    const { proxy } = aws();
    const world = await ready();
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(Array.from({ length: 5 }, () => world.issue("aws/creds/r")));
    }
    // Each deletion takes so long that those who are begun at once are all that fit.
    proxy.rule = ({ action }) => {
      if (action === "DeleteUser") world.advance(110);
      return undefined;
    };
    await world.write("sys/leases/revoke-prefix/aws/creds/r", { sync: true });
    const left = await Promise.all(
      (await world.leases()).map((key) => world.lookUp(key.replace("lease/", ""))),
    );
    expect(left.length).toBeGreaterThan(0);
    for (const data of left) {
      expect(data).toMatchObject({
        revoke_attempts: 0,
        revoke_error: expect.stringContaining("turn did not come"),
      });
    }
    proxy.reset();
    await world.settle();
    expect(await engineUsers(aws())).toEqual([]);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });

  test("a hundred users are revoked by prefix while AWS throttles", async () => {
    const { proxy } = aws();
    const world = await ready();
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 5 }, () => world.issue("aws/creds/r")));
    }
    expect(await engineUsers(aws())).toHaveLength(100);
    proxy.reset();
    proxy.rule = ({ nth, action }) => (action === "DeleteUser" && nth % 25 === 0 ? "throttle" : undefined);
    await world.must("sys/leases/revoke-prefix/aws/creds/r", { sync: true });
    expect(await engineUsers(aws())).toEqual([]);
    expect(await world.leases()).toEqual([]);
    await world.close();
  });
});

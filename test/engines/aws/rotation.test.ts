import { expect, test } from "bun:test";
import { CreateAccessKeyCommand, DeleteAccessKeyCommand, ListAccessKeysCommand } from "@aws-sdk/client-iam";
import { errorNameOf, identityOf, newAdmin, withAws, worldOn } from "./fixture.ts";
import { refusalOf } from "./world.ts";

const QUARTER_HOUR = 900;

withAws("Rotating AWS keys", (aws) => {
  let count = 0;
  /** A world whose root key is that of a new administrator. */
  const ready = async (more = {}) => {
    count += 1;
    const user = `root-${count}`;
    const keys = await newAdmin(aws().iam, user);
    return { world: await worldOn(aws(), { ...keys, ...more }), user, keys };
  };
  const keysOf = async (UserName: string): Promise<string[]> => {
    const { AccessKeyMetadata: keys = [] } = await aws().iam.send(new ListAccessKeysCommand({ UserName }));
    return keys.map(({ AccessKeyId: id }) => id ?? "");
  };

  test("the root key is replaced, and the old one refused", async () => {
    const { world, user, keys } = await ready();
    const { access_key } = await world.must("aws/config/rotate-root");
    expect(access_key).not.toBe(keys.access_key);
    expect(await keysOf(user)).toEqual([String(access_key)]);
    expect(await errorNameOf(identityOf(aws(), keys))).toBe("InvalidClientTokenId");
    const shown = await world.issue("aws/config/root");
    expect(shown.data).toMatchObject({ access_key: access_key ?? "" });
    expect(JSON.stringify(shown.data)).not.toContain("secret");
    await world.must("aws/roles/s", { credential_type: "session_token" });
    expect((await world.read("aws/sts/s")).status).toBe(200);
    await world.close();
  });

  test("the old key is deleted only after the new one was taken five times in a row", async () => {
    const { world, user, keys } = await ready();
    const { proxy } = aws();
    proxy.rule = ({ action, nth }) =>
      action === "GetCallerIdentity" && nth === 4 ? { code: "InvalidClientTokenId", status: 403 } : undefined;
    await world.must("aws/config/rotate-root");
    expect(proxy.actions).toEqual([
      "GetUser",
      "ListAccessKeys",
      "CreateAccessKey",
      ...Array.from({ length: 9 }, () => "GetCallerIdentity"),
      "DeleteAccessKey",
    ]);
    expect(await keysOf(user)).not.toContain(keys.access_key);
    await world.close();
  });

  test("a user with two keys is refused, with both told apart", async () => {
    const { world, user, keys } = await ready();
    const { AccessKey: other } = await aws().iam.send(new CreateAccessKeyCommand({ UserName: user }));
    const { status, text } = refusalOf(await world.write("aws/config/rotate-root"));
    expect(status).toBe(400);
    expect(text).toContain("two access keys already");
    expect(text).toContain(`if ${other?.AccessKeyId} is not in use`);
    expect(await keysOf(user)).toContain(keys.access_key);
    await world.close();
  });

  const STEPS = ["CreateAccessKey", "GetCallerIdentity", "DeleteAccessKey"].flatMap((action) => [
    { action, when: "before" as const },
    { action, when: "after" as const },
  ]);
  test.each(STEPS)(
    "a process that dies $when $action leaves one key, which works",
    async ({ action, when }) => {
      const { world, user } = await ready();
      const { proxy } = aws();
      proxy.rule = (seen) => {
        if (seen.action !== action) return undefined;
        world.die();
        return when === "after" ? "lose-answer" : { code: "InvalidClientTokenId", status: 403 };
      };
      await world.write("aws/config/rotate-root").catch(() => undefined);
      proxy.reset();
      world.advance(QUARTER_HOUR);
      await world.daemon();
      const shown = await world.issue("aws/config/root");
      expect(await keysOf(user)).toEqual([String(shown.data.access_key)]);
      await world.must("aws/roles/s", { credential_type: "session_token" });
      expect((await world.read("aws/sts/s")).status).toBe(200);
      await world.must("aws/config/rotate-root");
      await world.close();
    },
  );

  test("an old key that cannot be deleted is said, the new one is in force, and it is tried again", async () => {
    const { world, user, keys } = await ready();
    aws().proxy.rule = ({ action }) =>
      action === "DeleteAccessKey" ? { code: "AccessDenied", status: 403 } : undefined;
    expect(refusalOf(await world.write("aws/config/rotate-root")).text).toContain(
      "error deleting old access key: ",
    );
    aws().proxy.reset();
    expect(await keysOf(user)).toHaveLength(2);
    world.advance(60);
    await world.daemon();
    expect(await keysOf(user)).toHaveLength(1);
    expect(await keysOf(user)).not.toContain(keys.access_key);
    await world.close();
  });

  test.each(["500", "throttle"] as const)("a passing fault (%s) is met by trying again", async (fault) => {
    const { world, user } = await ready();
    const actions =
      fault === "500"
        ? ["GetUser", "ListAccessKeys", "CreateAccessKey", "DeleteAccessKey"]
        : ["DeleteAccessKey"];
    aws().proxy.rule = ({ action, nth }) => (nth === 1 && actions.includes(action) ? fault : undefined);
    const { access_key } = await world.must("aws/config/rotate-root");
    expect(await keysOf(user)).toEqual([String(access_key)]);
    await world.close();
  });

  test.each(["lose-answer", "hang-after"] as const)(
    "a new key whose secret never came (%s) is deleted, and the old one stays in force",
    async (fault) => {
      const { world, user, keys } = await ready();
      // The second attempt meets AWS's limit of two keys.
      aws().proxy.rule = ({ action, nth }) => (action === "CreateAccessKey" && nth === 1 ? fault : undefined);
      const { text } = refusalOf(await world.write("aws/config/rotate-root"));
      expect(text).toContain("error calling CreateAccessKey: LimitExceeded");
      expect(await keysOf(user)).toHaveLength(2);
      world.advance(QUARTER_HOUR);
      await world.daemon();
      expect(await keysOf(user)).toEqual([keys.access_key]);
      await world.must("aws/config/rotate-root");
      await world.close();
    },
  );

  test("IAM is given time to learn of the new key", async () => {
    const { world, user } = await ready();
    aws().proxy.rule = ({ action, nth }) =>
      action === "DeleteAccessKey" && nth <= 3 ? { code: "InvalidClientTokenId", status: 403 } : undefined;
    const { access_key } = await world.must("aws/config/rotate-root");
    expect(await keysOf(user)).toEqual([String(access_key)]);
    await world.close();
  });

  const INTERFERENCE = ["somebody deleted the new key", "config/root was given another key"] as const;
  test.each(INTERFERENCE)("a rotation that was cut short ends although %s", async (what) => {
    const { world, user, keys } = await ready();
    aws().proxy.rule = ({ action }) =>
      action === "GetCallerIdentity" ? { code: "InvalidClientTokenId", status: 403 } : undefined;
    const { text } = refusalOf(await world.write("aws/config/rotate-root"));
    expect(text).toContain("the new key is not in use yet");
    aws().proxy.reset();
    const made = (await keysOf(user)).find((id) => id !== keys.access_key) ?? "";
    if (what === "somebody deleted the new key") {
      await aws().iam.send(new DeleteAccessKeyCommand({ UserName: user, AccessKeyId: made }));
    } else {
      await world.must("aws/config/root", aws().admin);
    }
    world.advance(QUARTER_HOUR);
    await world.daemon();
    expect(await keysOf(user)).toEqual([keys.access_key]);
    if (what === "somebody deleted the new key") await world.must("aws/config/rotate-root");
    await world.close();
  });

  test("the root key is replaced by itself when its period is over", async () => {
    const { world, user, keys } = await ready({ rotation_period: "1h" });
    world.advance(3500);
    await world.daemon();
    expect(await keysOf(user)).toEqual([keys.access_key]);
    world.advance(200);
    await world.daemon();
    const [second = ""] = await keysOf(user);
    expect(second).not.toBe(keys.access_key);
    await world.must("aws/config/root", { disable_automated_rotation: true });
    world.advance(7200);
    await world.daemon();
    expect(await keysOf(user)).toEqual([second]);
    await world.close();
  });

  test("the root key is replaced at the times of a schedule, and not after its window has closed", async () => {
    const { world, user, keys } = await ready({ rotation_schedule: "0 * * * *", rotation_window: "10m" });
    const nowMs = Date.now();
    const hourMs = 3600_000;
    const toNextHour = (Math.floor(nowMs / hourMs + 1) * hourMs - nowMs) / 1000;
    expect((await world.issue("aws/config/root")).data).toMatchObject({
      rotation_schedule: "0 * * * *",
      rotation_window: 600,
      rotation_period: 0,
    });
    // Nobody looks before the window has closed.
    world.advance(toNextHour + QUARTER_HOUR);
    await world.daemon();
    expect(await keysOf(user)).toEqual([keys.access_key]);
    world.advance(3600 - QUARTER_HOUR + 60);
    await world.daemon();
    const [second = ""] = await keysOf(user);
    expect(second).not.toBe(keys.access_key);
    await world.daemon();
    expect(await keysOf(user)).toEqual([second]);
    await world.close();
  });
});

import { beforeEach, describe, expect, test } from "bun:test";
import { dataOf, errorOf } from "../../core/world.ts";
import { SshWorld } from "./world.ts";

describe("a one-time password", () => {
  let world: SshWorld;

  beforeEach(async () => {
    world = await SshWorld.create();
    world.directory.remove();
    await world.write("roles/office", {
      key_type: "otp",
      default_user: "ubuntu",
      allowed_users: "deploy",
      cidr_list: "10.0.0.0/8,192.168.1.7",
      exclude_cidr_list: "10.9.0.0/16",
      port: 2222,
    });
  });

  const issue = (body = {}) => world.core.put("ssh/creds/office", { ip: "10.1.2.3", ...body });
  const verify = async (otp: unknown) => {
    const answer = await world.core.core.handle({
      method: "PUT",
      path: "ssh/verify",
      body: { otp: String(otp) },
    });
    return answer.status === 200 ? dataOf(answer) : errorOf(answer);
  };

  test("is issued under a lease, and good for one login", async () => {
    const answer = await issue();
    expect(answer.body).toMatchObject({
      lease_id: expect.stringMatching(/^ssh\/creds\/office\//),
      renewable: false,
    });
    const { key, ...rest } = dataOf(answer);
    expect(rest).toEqual({ ip: "10.1.2.3", key_type: "otp", port: 2222, username: "ubuntu" });
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
    expect(await verify(key)).toEqual({ ip: "10.1.2.3", role_name: "office", username: "ubuntu" });
    expect(await verify(key)).toBe("OTP not found");
  });

  test("is good for one of those who give it at the same time", async () => {
    const { key } = dataOf(await issue());
    const answers = await Promise.all(Array.from({ length: 6 }, () => verify(key)));
    expect(answers.filter((answer) => answer !== "OTP not found").length).toBe(1);
  });

  test("is good no more when its lease has ended, and is stored only as a hash", async () => {
    const answer = await issue();
    const { key } = dataOf(answer);
    const { names } = await world.core.barrier.list("mount/", { limit: 100 });
    for (const name of names) {
      for (const entry of (await world.core.barrier.list(`mount/${name}otp/`, { limit: 10 })).names) {
        expect(entry).not.toContain(String(key));
      }
    }
    const { lease_id } = answer.body as { lease_id: string };
    await world.core.put("sys/leases/revoke", { lease_id });
    expect(await verify(key)).toBe("OTP not found");
    expect(await world.core.record(lease_id)).toBeNull();
  });

  test("is for a user that the role allows", async () => {
    expect(dataOf(await issue({ username: "deploy" })).username).toBe("deploy");
    expect(errorOf(await issue({ username: "root" }))).toBe("Username is not present is allowed users list");
  });

  test.each([
    ["11.0.0.1", "IP does not belong to role"],
    ["10.9.0.1", "IP does not belong to role"],
    ["192.168.1.8", "IP does not belong to role"],
    ["", "Missing ip"],
    ["host", 'Invalid IP "host"'],
    ["10.0.0.0/8", 'Invalid IP "10.0.0.0/8"'],
  ])("for %p is refused", async (ip, text) => {
    expect(errorOf(await issue({ ip }))).toBe(text);
  });

  test("is for any host where the role is one for any", async () => {
    expect(await world.refusal("config/zeroaddress", { roles: "nope" })).toEqual([
      400,
      'Role "nope" does not exist',
    ]);
    expect(await world.refusal("config/zeroaddress")).toEqual([400, "Missing roles"]);
    await world.write("config/zeroaddress", { roles: "office" });
    expect(dataOf(await world.core.get("ssh/config/zeroaddress"))).toEqual({ roles: ["office"] });
    expect((await issue({ ip: "11.0.0.1" })).status).toBe(200);
    await world.core.send("DELETE", "ssh/config/zeroaddress");
    expect((await world.core.get("ssh/config/zeroaddress")).status).toBe(404);
    expect((await issue({ ip: "11.0.0.1" })).status).toBe(400);
  });

  test("is looked for by a host's address", async () => {
    expect(await world.write("lookup", { ip: "10.1.1.1" })).toEqual({ roles: ["office"] });
    expect(await world.write("lookup", { ip: "10.9.1.1" })).toEqual({ roles: [] });
    expect(await world.refusal("lookup", { ip: "x" })).toEqual([400, 'Invalid IP "x"']);
  });

  test("that is unknown is not found, and the echo is answered", async () => {
    expect(await verify("")).toBe("OTP not found");
    expect(await verify("nonsense")).toBe("OTP not found");
    expect(await verify("verify-echo-request")).toEqual({ message: "verify-echo-response" });
    expect(errorOf(await world.core.put("ssh/creds/nope", { ip: "10.0.0.1" }))).toBe('Role "nope" not found');
    expect((await world.refusal("issue/office"))[1]).toBe(
      "role key type 'otp' not allowed to issue key pairs",
    );
  });
});

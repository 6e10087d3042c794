import { describe, expect, test } from "bun:test";
import { parseAgentConfig } from "../../src/cli/agent/config.ts";

const HCL = `
pid_file = "/run/agent.pid"
vault { address = "unix:///run/vsec.sock" }
auto_auth {
  method "approle" {
    mount_path = "auth/machines"
    config = {
      role_id_file_path = "/etc/role"
      secret_id_file_path = "/etc/secret"
      remove_secret_id_file_after_reading = false
    }
  }
  sink "file" { config = { path = "/run/token", mode = "0600" } }
}
template_config { static_secret_render_interval = "1m" }
template {
  source = "a.ctmpl"
  destination = "a.conf"
  perms = "0640"
  command = "reload a"
}
env_template "DB" { contents = "{{ env \\"X\\" }}" error_on_missing_key = true }
exec { command = ["./app", "-v"] restart_on_secret_changes = "never" }
`;

const SAME = {
  pid_file: "/run/agent.pid",
  vault: { address: "unix:///run/vsec.sock" },
  auto_auth: {
    method: {
      type: "approle",
      mount_path: "auth/machines",
      config: {
        role_id_file_path: "/etc/role",
        secret_id_file_path: "/etc/secret",
        remove_secret_id_file_after_reading: false,
      },
    },
    sinks: undefined,
    sink: [{ type: "file", config: { path: "/run/token", mode: "0600" } }],
  },
  template_config: { static_secret_render_interval: "1m" },
  template: [{ source: "a.ctmpl", destination: "a.conf", perms: "0640", command: "reload a" }],
};

describe("the agent's configuration", () => {
  test("is Vault's, in HCL", () => {
    expect(parseAgentConfig(HCL)).toEqual({
      pidFile: "/run/agent.pid",
      address: "unix:///run/vsec.sock",
      auth: {
        type: "approle",
        mount: "machines",
        roleIdFile: "/etc/role",
        secretIdFile: "/etc/secret",
        removesSecret: false,
      },
      sinks: [{ path: "/run/token", mode: 0o600 }],
      templates: [
        {
          source: { path: "a.ctmpl" },
          destination: "a.conf",
          mode: 0o640,
          makesDirectories: true,
          errorOnMissingKey: false,
          command: ["/bin/sh", "-c", "reload a"],
        },
      ],
      variables: [{ name: "DB", source: { contents: '{{ env "X" }}' }, errorOnMissingKey: true }],
      process: { command: ["./app", "-v"], restarts: false, stopSignal: "SIGTERM" },
      exitsAfterAuth: false,
      staticIntervalSeconds: 60,
    });
  });

  test("means the same in JSON", () => {
    const { variables: _v, process: _p, ...rest } = parseAgentConfig(HCL);
    expect(parseAgentConfig(JSON.stringify(SAME))).toMatchObject(rest);
  });

  test.each([
    ["cache {}", '"cache" is not supported on line 1, column 1'],
    ['vault {\n  addres = "x"\n}', '"addres" is not supported in "vault" on line 2, column 3'],
    [
      'auto_auth {\n  method "kubernetes" { config = {} }\n}',
      'the method "kubernetes" is not supported; approle and jwt are on line 2, column 3',
    ],
    [
      'template { destination = "x" }',
      'a template needs "source" or "contents", and one of them only on line 1, column 1',
    ],
    ['template { contents = "a" destination = "x" perms = "999" }', /"perms": "999" are no permissions/],
    ['env_template "A" { contents = "x" }', /^"env_template" needs "exec"/],
    ["exec { command = 3 }", '"command" must be a list of strings on line 1, column 18'],
    ['exit_after_auth = "maybe"', '"exit_after_auth" must be true or false on line 1, column 19'],
  ])("%p is refused with its place", (text, reason) => {
    expect(() => parseAgentConfig(text)).toThrow(reason);
  });
});

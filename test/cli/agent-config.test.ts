import { describe, expect, test } from "bun:test";
import { parseAgentConfig } from "../../src/cli/agent/config.ts";

const HCL = `
pid_file = "/run/agent.pid"
vault {
  address = "unix:///run/vsec.sock"
  ca_path = "/etc/authorities"
  tls_skip_verify = true
  retry { num_retries = 3 }
}
auto_auth {
  method "approle" {
    mount_path = "auth/machines"
    min_backoff = "2s"
    exit_on_err = true
    config = {
      role_id_file_path = "/etc/role"
      secret_id_file_path = "/etc/secret"
      remove_secret_id_file_after_reading = false
    }
  }
  sink "file" { config = { path = "/run/token", mode = "0600" } }
}
template_config {
  static_secret_render_interval = "1m"
  exit_on_retry_failure = true
  max_connections_per_host = 10
}
template {
  source = "a.ctmpl"
  destination = "a.conf"
  perms = "0640"
  command = "reload a"
  left_delimiter = "<<"
  right_delimiter = ">>"
  wait { min = "2s" }
}
env_template "DB" { contents = "{{ env \\"X\\" }}" error_on_missing_key = true }
exec { command = ["./app", "-v"] restart_on_secret_changes = "never" }
`;

const SAME = {
  pid_file: "/run/agent.pid",
  vault: {
    address: "unix:///run/vsec.sock",
    ca_path: "/etc/authorities",
    tls_skip_verify: true,
    retry: { num_retries: 3 },
  },
  auto_auth: {
    method: {
      type: "approle",
      mount_path: "auth/machines",
      min_backoff: "2s",
      exit_on_err: true,
      config: {
        role_id_file_path: "/etc/role",
        secret_id_file_path: "/etc/secret",
        remove_secret_id_file_after_reading: false,
      },
    },
    sinks: undefined,
    sink: [{ type: "file", config: { path: "/run/token", mode: "0600" } }],
  },
  template_config: { static_secret_render_interval: "1m", exit_on_retry_failure: true },
  template: [
    {
      source: "a.ctmpl",
      destination: "a.conf",
      perms: "0640",
      command: "reload a",
      left_delimiter: "<<",
      right_delimiter: ">>",
      wait: [{ min: "2s" }],
    },
  ],
};

describe("the agent's configuration", () => {
  test("is Vault's, in HCL", () => {
    expect(parseAgentConfig(HCL)).toEqual({
      pidFile: "/run/agent.pid",
      address: "unix:///run/vsec.sock",
      tls: { caPath: "/etc/authorities", skipVerify: true },
      auth: {
        type: "approle",
        mount: "machines",
        roleIdFile: "/etc/role",
        secretIdFile: "/etc/secret",
        removesSecret: false,
        backoffSecondsMin: 2,
        backoffSecondsMax: 300,
        exitsOnError: true,
      },
      sinks: [{ path: "/run/token", mode: 0o600 }],
      templates: [
        {
          source: { path: "a.ctmpl" },
          destination: "a.conf",
          mode: 0o640,
          makesDirectories: true,
          errorOnMissingKey: false,
          delimiters: { left: "<<", right: ">>" },
          keepsBackup: false,
          wait: { secondsMin: 2, secondsMax: 8 },
          commandSeconds: 30,
          command: ["/bin/sh", "-c", "reload a"],
        },
      ],
      variables: [
        {
          name: "DB",
          source: { contents: '{{ env "X" }}' },
          delimiters: { left: "{{", right: "}}" },
          errorOnMissingKey: true,
        },
      ],
      process: { command: ["./app", "-v"], restarts: false, stopSignal: "SIGTERM" },
      exitsAfterAuth: false,
      staticIntervalSeconds: 60,
      failuresMax: 3,
    });
  });

  test("means the same in JSON", () => {
    const { variables: _v, process: _p, ...rest } = parseAgentConfig(HCL);
    expect(parseAgentConfig(JSON.stringify(SAME))).toMatchObject(rest);
  });

  test.each([
    ["absent", "", null],
    ["set, with the usual number of retries", "exit_on_retry_failure = true", 12],
  ])("ends for want of a success only where that is asked for: %s", (_, line, expected) => {
    expect(parseAgentConfig(`template_config { ${line} }`).failuresMax).toBe(expected);
  });

  test("may have its sinks in a group, and its token from a file", () => {
    const text =
      'auto_auth {\n method { type = "token_file" config { token_file_path = "/t" } }\n sinks { sink { type = "file" config { path = "a" } } sink { type = "file" config { path = "b" } } }\n}';
    const { auth, sinks } = parseAgentConfig(text);
    expect(auth).toMatchObject({ type: "token_file", tokenFile: "/t" });
    expect(sinks.map(({ path }) => path)).toEqual(["a", "b"]);
  });

  test.each([
    ["cache {}", '"cache" is not supported on line 1, column 1'],
    ['vault {\n  addres = "x"\n}', '"addres" is not supported in "vault" on line 2, column 3'],
    [
      'auto_auth {\n  method "kubernetes" { config = {} }\n}',
      'the method "kubernetes" is not supported; approle, jwt and token_file are on line 2, column 3',
    ],
    [
      'template { destination = "x" }',
      'a template needs "source" or "contents", and one of them only on line 1, column 1',
    ],
    ['template { contents = "a" destination = "x" perms = "999" }', /"perms": "999" are no permissions/],
    ['env_template "A" { contents = "x" }', /^"env_template" needs "exec"/],
    [
      'exit_after_auth = true\nexec { command = ["x"] }',
      '"exit_after_auth" and "exec" exclude each other: the command would never be run on line 1, column 1',
    ],
    ['exec { command = ["x"] restart_stop_signal = "SIGNAL" }', /there is no signal "SIGNAL"/],
    ['template { contents = "a" destination = "x" sandbox_path = "/" }', /"sandbox_path" is not supported/],
    ['template { contents = "a" destination = "x" wait { min = "4s" max = "2s" } }', /must not be less/],
    ['env_template "A" { contents = "x" wait { min = "1s" } }', /"wait" is not supported in "env_template"/],
    [
      'auto_auth { method "jwt" { wrap_ttl = "1m" config = { role = "a" path = "b" } } }',
      /"wrap_ttl" is not/,
    ],
    ['vault { retry { num_retries = "x" } }', /"num_retries": "x" is no number of retries/],
    ["listener {}", '"listener" is not supported on line 1, column 1'],
    ["exec { command = 3 }", '"command" must be a list of strings on line 1, column 18'],
    ['exit_after_auth = "maybe"', '"exit_after_auth" must be true or false on line 1, column 19'],
  ])("%p is refused with its place", (text, reason) => {
    expect(() => parseAgentConfig(text)).toThrow(reason);
  });
});

"""A session of hvac, the Python client, with a daemon that has no store yet.

Reads {"url", "database": {"url", "username", "password"}, "audit_file", "jwt": {"public_key", "token"}} from standard
input, and writes {"passed": [calls], "failures": [{"step", "call", "error"}], "methods": [calls]} to standard output.
A step that fails does not keep the ones after it from running. A call has passed when it did what it is for, and
every assertion up to the next one held.
"""

import base64
import hashlib
import inspect
import json
import sys
import time

import hvac
from hvac import exceptions

GIVEN = json.load(sys.stdin)
GROUPS = {
    "sys": lambda c: c.sys,
    "auth.token": lambda c: c.auth.token,
    "auth.approle": lambda c: c.auth.approle,
    "auth.userpass": lambda c: c.auth.userpass,
    "auth.jwt": lambda c: c.auth.jwt,
    "secrets.kv.v1": lambda c: c.secrets.kv.v1,
    "secrets.kv.v2": lambda c: c.secrets.kv.v2,
    "secrets.database": lambda c: c.secrets.database,
    "secrets.identity": lambda c: c.secrets.identity,
    "secrets.transit": lambda c: c.secrets.transit,
    "secrets.ssh": lambda c: c.secrets.ssh,
}

passed = set()
failures = []
last = {"call": None}


def settle():
    """Nothing has gone wrong since the last call."""
    if last["call"] is not None:
        passed.add(last["call"])
    last["call"] = None


class Recorder:
    """Calls through to a part of the client, and remembers what was called."""

    def __init__(self, name, target):
        self.__name = name
        self.__target = target

    def __getattr__(self, attribute):
        function = getattr(self.__target, attribute)
        name = f"{self.__name}.{attribute}"

        def call(*args, **kwargs):
            settle()
            last["call"] = name
            return function(*args, **kwargs)

        return call


class Recorded:
    """A client whose calls are remembered."""

    def __init__(self, token=None):
        self.plain = hvac.Client(url=GIVEN["url"], token=token)
        for name, part in GROUPS.items():
            setattr(self, name.replace("secrets.", "").replace("auth.", "").replace(".", "_"), Recorder(name, part(self.plain)))
        self.client = Recorder("client", self.plain)


def check(condition, said):
    if not condition:
        raise AssertionError(said)


def same(actual, expected):
    check(actual == expected, f"{actual!r} instead of {expected!r}")


def refused(kind, call):
    """The call is refused, with the exception that its users catch."""
    name = last["call"]
    try:
        call()
    except kind:
        last["call"] = name
        return
    raise AssertionError(f"it was not refused with {kind.__name__}")


def attempt(step):
    try:
        step()
        settle()
    except Exception as error:  # Whatever it is, it is reported.
        failures.append({"step": step.__name__, "call": last["call"], "error": f"{type(error).__name__}: {error}"})
        last["call"] = None


root = Recorded()
keys = []


def initialise():
    same(root.sys.is_initialized(), False)
    same(root.sys.read_init_status(), {"initialized": False})
    same(root.sys.read_health_status().status_code, 501)
    made = root.sys.initialize(secret_shares=5, secret_threshold=3)
    same(len(made["keys"]), 5)
    same(len(made["keys_base64"]), 5)
    keys.extend(made["keys"])
    root.plain.token = made["root_token"]
    same(root.sys.is_initialized(), True)


def unseal():
    same(root.sys.is_sealed(), True)
    same(root.sys.read_health_status().status_code, 503)
    same(root.sys.read_health_status(sealed_code=299, method="GET").status_code, 299)
    refused(exceptions.VaultDown, lambda: root.plain.sys.list_mounted_secrets_engines())
    status = root.sys.submit_unseal_key(keys[0])
    same((status["sealed"], status["progress"], status["t"], status["n"]), (True, 1, 3, 5))
    same(root.sys.submit_unseal_key(reset=True)["progress"], 0)
    same(root.sys.submit_unseal_keys(keys[:3])["sealed"], False)
    status = root.sys.read_seal_status()
    same((status["type"], status["sealed"], status["storage_type"]), ("shamir", False, "sqlite"))
    same(root.sys.is_sealed(), False)
    same(root.plain.seal_status["sealed"], False)


def health():
    same(root.sys.read_health_status().status_code, 200)
    body = root.sys.read_health_status(method="GET")
    same((body["initialized"], body["sealed"], body["standby"]), (True, False, False))
    codes = {"standby_code": 430, "dr_secondary_code": 473, "performance_standby_code": 474, "active_code": 204}
    same(root.sys.read_health_status(standby_ok=True, method="GET", **codes).status_code, 204)
    same(root.sys.read_leader_status()["ha_enabled"], False)
    check(root.client.is_authenticated(), "the root token is not taken")
    root.sys.step_down()


def mounts():
    root.sys.enable_secrets_engine("kv", path="one", description="first", options={"version": "1"})
    root.sys.enable_secrets_engine("kv", path="two", options={"version": "2"}, config={"max_lease_ttl": "2h"})
    listed = root.sys.list_mounted_secrets_engines()["data"]
    same((listed["one/"]["type"], listed["one/"]["description"], listed["two/"]["options"]), ("kv", "first", {"version": "2"}))
    same(root.sys.retrieve_mount_option("two", "version"), "2")
    root.sys.tune_mount_configuration("one", default_lease_ttl="20m", description="tuned", listing_visibility="unauth")
    tuned = root.sys.read_mount_configuration("one")["data"]
    same((tuned["default_lease_ttl"], tuned["description"], tuned["listing_visibility"]), (1200, "tuned", "unauth"))
    root.sys.enable_secrets_engine("kv", path="three")
    root.sys.move_backend("three", "four")
    for _ in range(200):
        present = root.plain.sys.list_mounted_secrets_engines()["data"]
        if "four/" in present and "three/" not in present:
            break
        time.sleep(0.02)
    check("four/" in present and "three/" not in present, "the mount was not moved")
    root.sys.disable_secrets_engine("four")
    check("four/" not in root.plain.sys.list_mounted_secrets_engines()["data"], "the mount is still there")
    refused(exceptions.InvalidRequest, lambda: root.plain.sys.enable_secrets_engine("nothing-like-it"))


def auth_mounts():
    root.sys.enable_auth_method("userpass", description="people")
    root.sys.enable_auth_method("approle", path="robots", config={"default_lease_ttl": "30m"})
    listed = root.sys.list_auth_methods()["data"]
    same((listed["userpass/"]["type"], listed["robots/"]["type"]), ("userpass", "approle"))
    root.sys.tune_auth_method("robots", max_lease_ttl="3h", description="tuned")
    tuned = root.sys.read_auth_method_tuning("robots")["data"]
    same((tuned["default_lease_ttl"], tuned["max_lease_ttl"], tuned["description"]), (1800, 10800, "tuned"))
    root.plain.sys.enable_auth_method("userpass", path="gone")
    root.sys.disable_auth_method("gone")
    check("gone/" not in root.plain.sys.list_auth_methods()["data"], "the method is still there")


def policies():
    text = 'path "one/*" { capabilities = ["read", "list"] }'
    root.sys.create_or_update_policy("reader", text)
    same(root.sys.read_policy("reader")["data"]["rules"], text)
    check("reader" in root.sys.list_policies()["data"]["policies"], "the policy is not listed")
    root.sys.create_or_update_policy("as-data", {"path": {"two/*": {"capabilities": ["read"]}}})
    root.sys.delete_policy("as-data")
    refused(exceptions.InvalidPath, lambda: root.plain.sys.read_policy("as-data"))
    root.sys.create_or_update_acl_policy("acl", text)
    same(root.sys.read_acl_policy("acl")["data"]["policy"], text)
    check("acl" in root.sys.list_acl_policies()["data"]["keys"], "the policy is not listed")
    root.sys.delete_acl_policy("acl")
    check("acl" not in root.plain.sys.list_acl_policies()["data"]["keys"], "the policy is still there")
    same(root.client.get_policy("reader"), text)


def tokens():
    made = root.token.create(policies=["reader"], ttl="1h", meta={"team": "a"}, display_name="ci", explicit_max_ttl="2h")
    auth = made["auth"]
    same((auth["token_policies"], auth["lease_duration"], auth["metadata"]), (["default", "reader"], 3600, {"team": "a"}))
    data = root.token.lookup(auth["client_token"])["data"]
    same((data["display_name"], data["policies"], data["explicit_max_ttl"]), ("token-ci", ["default", "reader"], 7200))
    same(root.token.lookup_accessor(auth["accessor"])["data"]["id"], "")
    check(auth["accessor"] in root.token.list_accessors()["data"]["keys"], "the accessor is not listed")
    same(root.token.renew(auth["client_token"], increment="30m")["auth"]["lease_duration"], 1800)
    same(root.token.renew_accessor(auth["accessor"], increment=900)["auth"]["lease_duration"], 900)
    own = Recorded(auth["client_token"])
    same(own.token.lookup_self()["data"]["id"], auth["client_token"])
    same(own.token.renew_self(increment="20m")["auth"]["lease_duration"], 1200)
    same(own.sys.get_capabilities(["one/x", "two/x"])["data"]["one/x"], ["list", "read"])
    same(root.sys.get_capabilities(["one/x"], token=auth["client_token"])["data"]["capabilities"], ["list", "read"])
    same(root.sys.get_capabilities(["two/x"], accessor=auth["accessor"])["data"]["two/x"], ["deny"])
    refused(exceptions.Forbidden, lambda: own.plain.sys.list_mounted_secrets_engines())
    own.token.revoke_self()
    refused(exceptions.Forbidden, lambda: own.plain.auth.token.lookup_self())
    check(not own.client.is_authenticated(), "a revoked token counts as good")
    orphan = root.token.create_orphan(policies=["reader"], type="service")["auth"]
    same(root.plain.auth.token.lookup(orphan["client_token"])["data"]["orphan"], True)
    root.token.revoke(orphan["client_token"])
    refused(exceptions.Forbidden, lambda: root.plain.auth.token.lookup(orphan["client_token"]))
    other = root.plain.auth.token.create(policies=["reader"])["auth"]
    root.token.revoke_accessor(other["accessor"])
    refused(exceptions.Forbidden, lambda: root.plain.auth.token.lookup(other["client_token"]))
    parent = root.plain.auth.token.create(policies=["root"])["auth"]["client_token"]
    child = Recorded(parent).plain.auth.token.create(policies=["reader"])["auth"]["client_token"]
    root.token.revoke_and_orphan_children(parent)
    same(root.plain.auth.token.lookup(child)["data"]["orphan"], True)
    batch = root.plain.auth.token.create(policies=["reader"], type="batch", ttl="5m")["auth"]
    same((batch["token_type"], batch["accessor"]), ("batch", ""))
    root.token.tidy()


def token_roles():
    root.token.create_or_update_role("worker", allowed_policies=["reader"], orphan=True, token_period="10m")
    same(root.token.read_role("worker")["data"]["token_period"], 600)
    same(root.token.list_roles()["data"]["keys"], ["worker"])
    made = root.token.create(role_name="worker", policies=["reader"])["auth"]
    same((made["lease_duration"], made["orphan"]), (600, True))
    root.token.delete_role("worker")
    refused(exceptions.InvalidPath, lambda: root.plain.auth.token.read_role("worker"))


def userpass():
    root.userpass.create_or_update_user("ada", password="first-1", policies=["reader"])
    same(root.userpass.list_user()["data"]["keys"], ["ada"])
    root.userpass.update_password_on_user("ada", "second-2")
    check("password" not in root.userpass.read_user("ada")["data"], "the password is shown")
    person = Recorded()
    answer = person.userpass.login("ada", "second-2")
    same((answer["auth"]["metadata"], "reader" in answer["auth"]["policies"]), ({"username": "ada"}, True))
    same(person.plain.token, answer["auth"]["client_token"])
    check(person.plain.is_authenticated(), "the login's token is not taken")
    refused(exceptions.InvalidRequest, lambda: person.plain.auth.userpass.login("ada", "first-1"))
    root.userpass.delete_user("ada")
    refused(exceptions.InvalidPath, lambda: root.plain.auth.userpass.read_user("ada"))


def approle():
    at = {"mount_point": "robots"}
    root.approle.create_or_update_approle("build", token_policies=["reader"], token_ttl="10m", secret_id_num_uses=5, **at)
    same(root.approle.list_roles(**at)["data"]["keys"], ["build"])
    same(root.approle.read_role("build", **at)["data"]["token_ttl"], 600)
    root.approle.update_role_id("build", "role-of-build", **at)
    same(root.approle.read_role_id("build", **at)["data"]["role_id"], "role-of-build")
    made = root.approle.generate_secret_id("build", metadata={"host": "a"}, **at)["data"]
    same(made["secret_id_num_uses"], 5)
    robot = Recorded()
    answer = robot.approle.login("role-of-build", made["secret_id"], **at)
    same((answer["auth"]["lease_duration"], answer["auth"]["metadata"]["host"]), (600, "a"))
    same(root.approle.read_secret_id("build", made["secret_id"], **at)["data"]["metadata"], {"host": "a"})
    same(root.approle.list_secret_id_accessors("build", **at)["data"]["keys"], [made["secret_id_accessor"]])
    same(root.approle.read_secret_id_accessor("build", made["secret_id_accessor"], **at)["data"]["secret_id_num_uses"], 4)
    root.approle.destroy_secret_id("build", made["secret_id"], **at)
    refused(exceptions.InvalidRequest, lambda: robot.plain.auth.approle.login("role-of-build", made["secret_id"], **at))
    own = root.approle.create_custom_secret_id("build", "a-secret-of-ours", **at)["data"]
    root.approle.destroy_secret_id_accessor("build", own["secret_id_accessor"], **at)
    refused(exceptions.InvalidPath, lambda: root.plain.auth.approle.list_secret_id_accessors("build", **at))
    wrapped = root.plain.auth.approle.generate_secret_id("build", wrap_ttl="60s", **at)
    same(wrapped["wrap_info"]["creation_path"], "auth/robots/role/build/secret-id")
    unwrapped = root.sys.unwrap(wrapped["wrap_info"]["token"])["data"]
    robot.plain.auth.approle.login("role-of-build", unwrapped["secret_id"], **at)
    root.approle.delete_role("build", **at)
    refused(exceptions.InvalidPath, lambda: root.plain.auth.approle.list_roles(**at))


def jwt():
    root.plain.sys.enable_auth_method("jwt")
    root.jwt.configure(jwt_validation_pubkeys=[GIVEN["jwt"]["public_key"]], bound_issuer="tests", jwt_supported_algs=["ES256"])
    same(root.jwt.read_config()["data"]["bound_issuer"], "tests")
    root.jwt.create_role("job", "sub", [], bound_audiences=["vsec"], token_policies=["reader"], token_ttl="5m")
    same(root.jwt.list_roles()["data"]["keys"], ["job"])
    same(root.jwt.read_role("job")["data"]["user_claim"], "sub")
    answer = Recorded().jwt.jwt_login("job", GIVEN["jwt"]["token"])
    same((answer["auth"]["lease_duration"], answer["auth"]["metadata"]["role"]), (300, "job"))
    root.jwt.delete_role("job")
    refused(exceptions.InvalidPath, lambda: root.plain.auth.jwt.read_role("job"))


def kv_one():
    at = {"mount_point": "one"}
    root.kv_v1.create_or_update_secret("app/a", {"user": "x", "pass": "y"}, **at)
    answer = root.kv_v1.read_secret("app/a", **at)
    same((answer["data"], answer["renewable"]), ({"user": "x", "pass": "y"}, False))
    root.kv_v1.create_or_update_secret("app/a", {"user": "z"}, method="PUT", **at)
    same(root.kv_v1.list_secrets("app", **at)["data"]["keys"], ["a"])
    root.kv_v1.delete_secret("app/a", **at)
    refused(exceptions.InvalidPath, lambda: root.plain.secrets.kv.v1.read_secret("app/a", **at))


def kv_two():
    at = {"mount_point": "two"}
    root.kv_v2.configure(max_versions=7, cas_required=False, delete_version_after="1h", **at)
    same(root.kv_v2.read_configuration(**at)["data"]["max_versions"], 7)
    same(root.kv_v2.create_or_update_secret("app/a", {"user": "x"}, cas=0, **at)["data"]["version"], 1)
    refused(exceptions.InvalidRequest, lambda: root.plain.secrets.kv.v2.create_or_update_secret("app/a", {"u": "x"}, cas=0, **at))
    same(root.kv_v2.patch("app/a", {"pass": "y"}, **at)["data"]["version"], 2)
    latest = root.kv_v2.read_secret("app/a", raise_on_deleted_version=True, **at)["data"]
    same((latest["data"], latest["metadata"]["version"]), ({"user": "x", "pass": "y"}, 2))
    first = root.kv_v2.read_secret_version("app/a", version=1, raise_on_deleted_version=True, **at)["data"]
    same(first["data"], {"user": "x"})
    same(root.kv_v2.list_secrets("app", **at)["data"]["keys"], ["a"])
    root.kv_v2.delete_latest_version_of_secret("app/a", **at)
    deleted = root.plain.secrets.kv.v2.read_secret_version("app/a", raise_on_deleted_version=False, **at)["data"]
    same((deleted["data"], deleted["metadata"]["deletion_time"] != ""), (None, True))
    root.kv_v2.undelete_secret_versions("app/a", [2], **at)
    same(root.plain.secrets.kv.v2.read_secret_version("app/a", raise_on_deleted_version=True, **at)["data"]["metadata"]["version"], 2)
    root.kv_v2.delete_secret_versions("app/a", [1], **at)
    root.kv_v2.destroy_secret_versions("app/a", [1], **at)
    root.kv_v2.update_metadata("app/a", max_versions=3, custom_metadata={"owner": "ada"}, **at)
    metadata = root.kv_v2.read_secret_metadata("app/a", **at)["data"]
    same((metadata["max_versions"], metadata["custom_metadata"], metadata["versions"]["1"]["destroyed"]), (3, {"owner": "ada"}, True))
    root.kv_v2.delete_metadata_and_all_versions("app/a", **at)
    refused(exceptions.InvalidPath, lambda: root.plain.secrets.kv.v2.read_secret_metadata("app/a", **at))


def transit():
    root.plain.sys.enable_secrets_engine("transit")
    t = root.transit
    t.create_key("orders", exportable=True, allow_plaintext_backup=True)
    same(t.read_key("orders")["data"]["type"], "aes256-gcm96")
    same(t.list_keys()["data"]["keys"], ["orders"])
    text = base64.b64encode(b"hello").decode()
    sealed = t.encrypt_data("orders", plaintext=text, associated_data=text)["data"]["ciphertext"]
    same(t.decrypt_data("orders", ciphertext=sealed, associated_data=text)["data"]["plaintext"], text)
    batch = root.plain.secrets.transit.encrypt_data("orders", batch_input=[{"plaintext": text}, {"plaintext": ""}])
    same(len(batch["data"]["batch_results"]), 2)
    t.rotate_key("orders")
    plain = batch["data"]["batch_results"][0]["ciphertext"]
    same(t.rewrap_data("orders", plain)["data"]["ciphertext"].startswith("vault:v2:"), True)
    made = t.generate_data_key("orders", "plaintext", bits=128)["data"]
    same(len(base64.b64decode(made["plaintext"])), 16)
    same(len(bytes.fromhex(t.generate_random_bytes(n_bytes=7, output_format="hex")["data"]["random_bytes"])), 7)
    same(t.hash_data(text, algorithm="sha2-256")["data"]["sum"], hashlib.sha256(b"hello").hexdigest())
    hmac = t.generate_hmac("orders", text, algorithm="sha2-512")["data"]["hmac"]
    same(root.plain.secrets.transit.verify_signed_data("orders", text, hmac=hmac, hash_algorithm="sha2-512")["data"]["valid"], True)
    root.plain.secrets.transit.create_key("signer", key_type="ecdsa-p256")
    signature = t.sign_data("signer", hash_input=text, hash_algorithm="sha2-384", marshaling_algorithm="jws")["data"]["signature"]
    valid = t.verify_signed_data("signer", text, signature=signature, hash_algorithm="sha2-384", marshaling_algorithm="jws")
    same(valid["data"]["valid"], True)
    same(list(t.export_key("orders", "encryption-key")["data"]["keys"]), ["1", "2"])
    backup = t.backup_key("orders")["data"]["backup"]
    t.restore_key(backup, name="copy")
    same(root.plain.secrets.transit.decrypt_data("copy", ciphertext=sealed, associated_data=text)["data"]["plaintext"], text)
    t.update_key_configuration("orders", min_encryption_version=2, deletion_allowed=True)
    t.update_key_configuration("orders", min_decryption_version=2)
    t.trim_key("orders", 2)
    refused(exceptions.InvalidRequest, lambda: root.plain.secrets.transit.decrypt_data("orders", ciphertext=plain))
    t.delete_key("orders")
    refused(exceptions.InvalidPath, lambda: root.plain.secrets.transit.read_key("orders"))


def ssh():
    root.plain.sys.enable_secrets_engine("ssh")
    s = root.ssh
    s.submit_ca_information(key_type="ed25519")
    same(s.read_public_key()["data"]["public_key"].startswith("ssh-ed25519 "), True)
    s.create_role("users", key_type="ca", allow_user_certificates=True, allowed_users="*", default_user="me", ttl="5m")
    line = root.plain.secrets.ssh.read_public_key()["data"]["public_key"]
    signed = s.sign_ssh_key("users", public_key=line, valid_principals="me", cert_type="user")["data"]["signed_key"]
    same(signed.startswith("ssh-ed25519-cert-v01@openssh.com "), True)
    root.plain.secrets.ssh.create_role("office", key_type="otp", default_user="me", cidr_list="10.0.0.0/8")
    same(s.read_role("office")["data"]["key_type"], "otp")
    same(s.list_roles()["data"]["keys"], ["office", "users"])
    s.configure_zeroaddress_roles(roles="office")
    same(s.list_zeroaddress_roles()["data"]["roles"], ["office"])
    s.delete_zeroaddress_role()
    otp = s.generate_ssh_credentials("office", username="me", ip="10.0.0.1")["data"]["key"]
    same(s.list_roles_by_ip("10.0.0.1")["data"]["roles"], ["office"])
    same(s.verify_ssh_otp(otp)["data"]["username"], "me")
    refused(exceptions.InvalidRequest, lambda: root.plain.secrets.ssh.verify_ssh_otp(otp))
    s.delete_role("office")
    s.delete_ca_information()
    refused(exceptions.InvalidRequest, lambda: root.plain.secrets.ssh.read_public_key())


def database():
    given = GIVEN["database"]
    root.plain.sys.enable_secrets_engine("database")
    login = {"connection_url": given["url"], "username": given["username"], "password": given["password"]}
    root.database.configure("main", "postgresql-database-plugin", allowed_roles=["*"], **login)
    shown = root.database.read_connection("main")["data"]
    same((shown["plugin_name"], "password" in shown["connection_details"]), ("postgresql-database-plugin", False))
    same(root.database.list_connections()["data"]["keys"], ["main"])
    root.database.reset_connection("main")
    create = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
    root.database.create_role("reader", "main", [create], default_ttl="10m", max_ttl="1h")
    same(root.database.read_role("reader")["data"]["default_ttl"], 600)
    same(root.database.list_roles()["data"]["keys"], ["reader"])
    made = root.database.generate_credentials("reader")
    same((made["lease_duration"], made["renewable"], sorted(made["data"])), (600, True, ["password", "username"]))
    leases(made["lease_id"])
    root.plain.secrets.database.generate_credentials("reader")
    root.sys.revoke_prefix("database/creds/reader")
    refused(exceptions.InvalidPath, lambda: root.plain.sys.list_leases("database/creds/reader"))
    root.plain.secrets.database.generate_credentials("reader")
    root.sys.revoke_force("database/creds/reader")
    refused(exceptions.InvalidPath, lambda: root.plain.sys.list_leases("database/creds/reader"))


def leases(lease_id):
    listed = root.sys.list_leases("database/creds/reader")["data"]["keys"]
    same(listed, [lease_id.split("/")[-1]])
    data = root.sys.read_lease(lease_id)["data"]
    same((data["id"], data["renewable"]), (lease_id, True))
    same(root.sys.renew_lease(lease_id, increment=1200)["lease_duration"], 1200)
    root.sys.revoke_lease(lease_id)
    refused(exceptions.InvalidRequest, lambda: root.plain.sys.read_lease(lease_id))


def database_root():
    root.database.rotate_root_credentials("main")
    root.plain.secrets.database.generate_credentials("reader")
    root.plain.sys.revoke_prefix("database")
    root.database.delete_role("reader")
    root.database.delete_connection("main")
    refused(exceptions.InvalidPath, lambda: root.plain.secrets.database.list_connections())


def wrapping():
    wrapped = root.sys.wrap({"a": "b"}, ttl=120)["wrap_info"]
    same(wrapped["ttl"], 120)
    holder = Recorded(wrapped["token"])
    same(holder.sys.unwrap()["data"], {"a": "b"})
    refused(exceptions.InvalidRequest, lambda: Recorded(wrapped["token"]).plain.sys.unwrap())


def audit():
    root.sys.enable_audit_device("file", path="trail", description="all of it", options={"file_path": GIVEN["audit_file"]})
    same(root.sys.list_enabled_audit_devices()["data"]["trail/"]["type"], "file")
    check(root.sys.calculate_hash("trail", "word")["data"]["hash"].startswith("hmac-sha256:"), "it is no hash")
    root.sys.disable_audit_device("trail")
    check("trail/" not in root.plain.sys.list_enabled_audit_devices()["data"], "the device is still there")


def identity():
    accessor = root.plain.sys.list_auth_methods()["data"]["userpass/"]["accessor"]
    made = root.identity.create_or_update_entity("ada", metadata={"team": "a"}, policies=["reader"])["data"]["id"]
    same(root.identity.read_entity(made)["data"]["name"], "ada")
    root.identity.update_entity(made, metadata={"team": "b"})
    same(root.identity.read_entity_by_name("ada")["data"]["metadata"], {"team": "b"})
    root.identity.create_or_update_entity_by_name("bob")
    check(made in root.identity.list_entities()["data"]["keys"], "the entity is not listed")
    check("bob" in root.identity.list_entities_by_name()["data"]["keys"], "the entity is not listed")
    alias = root.identity.create_or_update_entity_alias("ada", made, accessor)["data"]["id"]
    same(root.identity.read_entity_alias(alias)["data"]["canonical_id"], made)
    root.identity.update_entity_alias(alias, "ada", made, accessor)
    check(alias in root.identity.list_entity_aliases()["data"]["keys"], "the alias is not listed")
    same(root.identity.lookup_entity(alias_name="ada", alias_mount_accessor=accessor)["data"]["id"], made)
    bob = root.plain.secrets.identity.read_entity_by_name("bob")["data"]["id"]
    root.identity.merge_entities([bob], made)
    root.identity.delete_entity_alias(alias)
    root.identity.delete_entity(made)
    root.plain.secrets.identity.create_or_update_entity_by_name("bob")
    root.identity.delete_entity_by_name("bob")
    refused(exceptions.InvalidPath, lambda: root.plain.secrets.identity.read_entity(made))


def plain_calls():
    root.client.write("one/raw", a="b")
    root.client.write_data("one/raw", data={"a": "c"})
    same(root.client.read("one/raw")["data"], {"a": "c"})
    same(root.client.list("one")["data"]["keys"], ["raw"])
    root.client.delete("one/raw")
    same(root.client.read("one/raw"), None)
    root.client.lookup_token()
    token = root.plain.auth.token.create(policies=["reader"])["auth"]["client_token"]
    same(Recorded(root.plain.token).client.lookup_token(token)["data"]["id"], token)
    root.client.renew_token(token)
    root.client.revoke_token(token)
    refused(exceptions.Forbidden, lambda: root.plain.auth.token.lookup(token))
    out = Recorded(root.plain.token)
    out.client.logout()
    same(out.plain.token, None)


def rotation():
    before = root.sys.get_encryption_key_status()["data"]["term"]
    root.sys.rotate_encryption_key()
    same(root.plain.sys.get_encryption_key_status()["data"]["term"], before + 1)
    same(root.plain.key_status["term"], before + 1)


def generate_root():
    same(root.sys.read_root_generation_progress()["started"], False)
    started = root.sys.start_root_token_generation()
    same((started["started"], started["required"], len(started["otp"])), (True, 3, started["otp_length"]))
    root.sys.cancel_root_generation()
    started = root.plain.sys.start_root_token_generation()
    for key in keys[:3]:
        answer = root.sys.generate_root(key, started["nonce"])
    same(answer["complete"], True)
    decoded = root.plain.adapter.post("/v1/sys/decode-token", json={"encoded_token": answer["encoded_token"], "otp": started["otp"]})
    other = Recorded(decoded["data"]["token"])
    same(other.plain.auth.token.lookup_self()["data"]["policies"], ["root"])


def rekey():
    same(root.sys.read_rekey_progress()["started"], False)
    started = root.sys.start_rekey(secret_shares=3, secret_threshold=2)
    same((started["started"], started["n"], started["t"], started["required"]), (True, 3, 2, 3))
    root.sys.cancel_rekey()
    started = root.plain.sys.start_rekey(secret_shares=3, secret_threshold=2, require_verification=True)
    answer = root.sys.rekey(keys[0], nonce=started["nonce"])
    same(answer["progress"], 1)
    answer = root.sys.rekey_multi(keys[1:3], nonce=started["nonce"])
    same((answer["complete"], answer["verification_required"]), (True, True))
    fresh, nonce = answer["keys"], answer["verification_nonce"]
    same(root.sys.read_rekey_verify_progress()["nonce"], nonce)
    same(root.sys.rekey_verify(fresh[0], nonce)["progress"], 1)
    nonce = root.sys.cancel_rekey_verify() and root.plain.sys.read_rekey_verify_progress()["nonce"]
    same(root.sys.rekey_verify_multi(fresh[:2], nonce)["complete"], True)
    keys[:] = fresh


def seal():
    root.sys.seal()
    same(root.plain.sys.is_sealed(), True)
    same(root.plain.sys.submit_unseal_keys(keys[:2])["sealed"], False)
    check(root.plain.is_authenticated(), "the root token is not taken after the seal")


STEPS = [
    *(initialise, unseal, health, mounts, auth_mounts, policies, tokens, token_roles, userpass, approle, jwt, kv_one, kv_two),
    *(transit, ssh),
    *(database, database_root, wrapping, audit, identity, plain_calls, rotation, generate_root, rekey, seal),
]
for step in STEPS:
    attempt(step)

methods = [
    f"{name}.{method}"
    for name, part in GROUPS.items()
    for method, _ in inspect.getmembers(part(root.plain), inspect.ismethod)
    if not method.startswith("_")
]
json.dump({"passed": sorted(passed), "failures": failures, "methods": methods}, sys.stdout)

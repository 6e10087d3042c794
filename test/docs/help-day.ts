/** The examples of the help, in the order of one long day, with what each of them takes for granted. */

/** One line for each command: examples as they stand in the help, and before them what they need. */
export const DAY = String.raw`
vsec operator init
export VSEC_TOKEN=$(vsec print token) root=$(vsec print token)
printf %s "$root" > token.txt
echo '{"data": {"color": "red"}}' > changes.json && echo '{"username": "app"}' > secret.json

vsec secrets enable database
vsec secrets enable -path=billing-db -max-lease-ttl=8h database
vsec secrets list -detailed
vsec secrets tune -default-lease-ttl=1h -max-lease-ttl=8h database
vsec write database/config/app plugin_name=postgresql-database-plugin connection_url="postgresql://{{username}}:{{password}}@db:5432/app" allowed_roles=readonly username=vsec password=@/run/secrets/db
vsec write -force database/rotate-root/app
vsec write database/roles/readonly db_name=app creation_statements=@create.sql default_ttl=1h max_ttl=24h
vsec path-help database/roles/readonly
vsec list database/roles
vsec read database/creds/readonly
vsec read -field=password database/creds/readonly
eval "$(vsec read -format=env database/creds/readonly)"
vsec read -format=dotenv database/creds/readonly > .env
vsec read -wrap-ttl=60s -field=wrapping_token database/creds/readonly
wrapped=$(vsec read -wrap-ttl=60s -field=wrapping_token database/creds/readonly)
vsec unwrap hvs.CAESIJ
vsec run -env DB=database/creds/readonly -- ./migrate.sh
vsec run -pg database/creds/readonly -- psql

vsec lease list
vsec lease list database/creds/readonly
lease=$(vsec read -field=lease_id database/creds/readonly)
vsec lease lookup database/creds/readonly/2f6a614c4aa2b19ad24b9ad944a8d4de
vsec lease renew -increment=1h database/creds/readonly/2f6a614c4aa2b19ad24b9ad944a8d4de
vsec lease revoke database/creds/readonly/2f6a614c4aa2b19ad24b9ad944a8d4de
vsec lease revoke -prefix database/creds/readonly
vsec lease revoke -force -prefix database/creds/gone
vsec complete "lease revoke" database/creds/
vsec delete database/roles/readonly

vsec secrets enable -path=secret -version=1 kv
vsec kv enable-versioning secret
vsec kv put -mount=secret app/database username=app password=@/run/secrets/db
vsec kv patch -mount=secret app/database password=@/run/secrets/db
vsec kv put -mount=secret app/database username=app password=x legacy=1
vsec kv patch -mount=secret -remove-data=legacy app/database
vsec kv put -mount=secret -cas=4 app/database @secret.json
vsec kv list -mount=secret app
vsec kv get -mount=secret app/database
vsec kv get -mount=secret -version=3 app/database
vsec kv rollback -mount=secret -version=2 app/database
vsec kv get -mount=secret -field=password app/database
vsec kv delete -mount=secret app/database
vsec kv delete -mount=secret -versions=2,3 app/database
vsec kv undelete -mount=secret -versions=3 app/database
vsec kv destroy -mount=secret -versions=3 app/database
vsec kv metadata put -mount=secret -max-versions=5 -custom-metadata=owner=billing app/database
vsec kv metadata patch -mount=secret -custom-metadata=owner=billing app/database
vsec kv metadata get -mount=secret app/database
vsec kv metadata patch -mount=secret -remove-custom-metadata=owner app/database
vsec kv metadata delete -mount=secret app/database
vsec kv put -mount=secret app color=blue token=open-sesame
vsec patch secret/data/app @changes.json
vsec run -template app.env -- ./server
vsec render app.conf.tpl
vsec render -out=app.conf app.conf.tpl

vsec policy write apps apps-policy.hcl
vsec policy fmt apps-policy.hcl
vsec policy write apps - <<< 'path "database/creds/readonly" { capabilities = ["read"] }'
vsec policy list
vsec policy read apps
vsec token capabilities database/creds/readonly
vsec token create -policy=apps -ttl=1h
vsec write auth/token/roles/ci allowed_policies=apps
vsec token create -role=ci -period=24h
vsec token lookup
accessor=$(vsec token create -policy=apps -field=token_accessor)
vsec token lookup -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da
vsec token revoke -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da
export VSEC_TOKEN=$(vsec token create -policy=apps -ttl=1h -field=token)
vsec token renew -increment=30m
vsec token revoke -self
export VSEC_TOKEN=$root
vsec login - < token.txt
vsec token create -policy=apps -field=token | tr -d '\n' > token.txt
vsec token revoke -mode=orphan - < token.txt
vsec policy delete apps

vsec auth enable approle
vsec auth enable -path=gitlab -max-lease-ttl=1h jwt
vsec auth enable userpass
vsec auth help userpass
vsec auth list -detailed
vsec auth tune -default-lease-ttl=1h -user-lockout-threshold=10 userpass
vsec write auth/approle/role/app token_policies=default && role_id=$(vsec read -field=role_id auth/approle/role/app/role-id)
vsec write -force -field=secret_id auth/approle/role/app/secret-id > secrets/id
vsec login -method=approle role_id=59d6d1ca secret_id=@/run/secrets/id
vsec auth move auth/approle/ auth/machines/
vsec auth enable approle
vsec auth disable approle

vsec secrets enable -path=pki_root -max-lease-ttl=87600h pki && vsec secrets enable -max-lease-ttl=87600h pki
vsec secrets enable -path=pki_int -max-lease-ttl=43800h pki && vsec secrets enable -path=pki_int_2 -max-lease-ttl=43800h pki
vsec write pki_root/root/generate/internal common_name=Root issuer_name=root key_type=ec ttl=87600h
vsec pki issue -issuer_name=int-1 pki_root/issuer/default pki_int common_name=Intermediate ttl=8760h
vsec pki verify-sign pki_root/issuer/root pki_int/issuer/default
vsec pki list-intermediates pki_root/issuer/default pki_int
vsec pki reissue pki_root/issuer/default pki_int/issuer/default pki_int_2 ttl=8760h

vsec secrets enable transit && openssl rand -base64 32 > key.b64
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 | openssl pkcs8 -topk8 -nocrypt -outform DER | base64 > rsa.b64
vsec transit import transit/keys/mine @key.b64
vsec transit import-version transit/keys/mine @key.b64
vsec secrets disable transit && vsec secrets enable transit
vsec transit import transit/keys/mine @rsa.b64 type=rsa-2048 allow_rotation=true

vsec audit enable file file_path=/var/log/vsec-audit.log
vsec audit enable -path=console file file_path=stdout
vsec audit list -detailed
vsec audit disable file
vsec audit disable console

vsec config set format json
vsec config unset format
vsec config set address https://vsec.example:8200
vsec config unset address
source <(vsec completion bash)
mkdir -p ~/.config/fish/completions
vsec completion fish > ~/.config/fish/completions/vsec.fish
vsec daemon -once
VSEC_DAEMON=off vsec operator generate-root -once
vsec secrets disable billing-db
vsec secrets move database/ billing-db/
vsec secrets enable database
vsec secrets disable database
`;

/** Examples that are not part of it, by how they begin; each with the reason. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  "vsec operator init -": "makes another store: test/e2e/seals.test.ts, test/seal",
  "vsec operator rekey": "needs several people: test/seal/rekey.test.ts",
  "vsec operator generate-root": "needs several people: test/seal/generate-root.test.ts",
  "vsec operator unseal": "test/seal/unseal.test.ts",
  "vsec daemon": "stays: docs/daemon.md, docs/acme.md, docs/threat-model.md and test/http",
  "vsec agent": "stays: docs/agent.md",
  "vsec render -watch": "stays: docs/run.md",
  "vsec lease list -watch": "stays: test/e2e/lease-list.test.ts",
  "vsec run -aws": "docs/run.md",
  "vsec ssh": "docs/ssh.md",
  "vsec pki health-check": "its exit code tells what it has found: docs/pki.md",
  "vsec login -method=userpass": "asks for a password: test/e2e/terminal-session.ts",
  "vsec login -method=jwt": "docs/ci.md",
  "vsec completion zsh": "is a line of zsh: test/e2e/completion.test.ts",
};

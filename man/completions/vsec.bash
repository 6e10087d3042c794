# bash completion for vsec; made by "vsec completion bash"
_vsec() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" word choices="" candidate index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="${COMP_WORDS[index]}"
    candidate="${path:+$path }$word"
    case "$candidate" in
    'secrets' | 'policy' | 'token' | 'auth' | 'audit' | 'kv' | 'kv metadata' | 'config' | 'lease' | 'operator' | 'aws' | 'print' | 'read' | 'write' | 'patch' | 'list' | 'delete' | 'status' | 'doctor' | 'login' | 'unwrap' | 'path-help' | 'daemon' | 'server' | 'completion' | 'config list' | 'config get' | 'config set' | 'config unset' | 'complete' | 'version' | 'print token' | 'policy write' | 'policy read' | 'policy list' | 'policy delete' | 'policy fmt' | 'token create' | 'token lookup' | 'token renew' | 'token revoke' | 'token capabilities' | 'auth enable' | 'auth disable' | 'auth list' | 'auth move' | 'auth tune' | 'auth help' | 'audit enable' | 'audit disable' | 'audit list' | 'secrets enable' | 'secrets disable' | 'secrets list' | 'secrets move' | 'secrets tune' | 'kv get' | 'kv put' | 'kv patch' | 'kv list' | 'kv delete' | 'kv undelete' | 'kv destroy' | 'kv rollback' | 'kv enable-versioning' | 'kv metadata get' | 'kv metadata put' | 'kv metadata patch' | 'kv metadata delete' | 'lease list' | 'lease lookup' | 'lease renew' | 'lease revoke' | 'aws credential-process' | 'operator init' | 'operator unseal' | 'operator seal' | 'operator rekey' | 'operator generate-root' | 'operator rotate' | 'operator key-status') path="$candidate" ;;
    *) break ;;
    esac
  done
  if [[ "$current" == "=" || "${COMP_WORDS[COMP_CWORD - 1]}" == "=" ]]; then
    local flag="${COMP_WORDS[COMP_CWORD - 1]}"
    [[ "$flag" == "=" ]] && flag="${COMP_WORDS[COMP_CWORD - 2]}"
    case "$flag" in
    -format) choices='table json yaml raw' ;;
    -method) choices='patch rw' ;;
    -log-level) choices='trace debug info warn error' ;;
    -log-format) choices='standard json' ;;
    -type) choices='service batch' ;;
    -mode) choices='orphan path' ;;
    -token-type) choices='default-service default-batch service batch' ;;
    -seal) choices='keychain key-file passphrase env shamir' ;;
    -target) choices='barrier' ;;
    esac
    COMPREPLY=($(compgen -W "$choices" -- "${current#=}"))
    return
  fi
  case "$path" in
    '') choices='audit auth aws complete completion config daemon delete doctor kv lease list login operator patch path-help policy print read secrets server status token unwrap version write' ;;
    'secrets') choices='disable enable list move tune' ;;
    'policy') choices='delete fmt list read write' ;;
    'token') choices='capabilities create lookup renew revoke' ;;
    'auth') choices='disable enable help list move tune' ;;
    'audit') choices='disable enable list' ;;
    'kv') choices='delete destroy enable-versioning get list metadata patch put rollback undelete' ;;
    'kv metadata') choices='delete get patch put' ;;
    'config') choices='get list set unset' ;;
    'lease') choices='list lookup renew revoke' ;;
    'operator') choices='generate-root init key-status rekey rotate seal unseal' ;;
    'aws') choices='credential-process' ;;
    'print') choices='token' ;;
    'read') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format=' ;;
    'write') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -force' ;;
    'patch') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -force' ;;
    'list') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'delete') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format=' ;;
    'status') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'doctor') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'login') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -method= -path= -no-store -no-print -token-only' ;;
    'unwrap') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format=' ;;
    'path-help') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'daemon') choices='-once -socket= -socket-group= -listen= -tls-cert-file= -tls-key-file= -tls-client-ca-file= -tls-disable -no-listen -dev -dev-root-token-id= -dev-listen-address= -dev-no-store-token -log-level= -log-format= -store=' ;;
    'server') choices='-once -socket= -socket-group= -listen= -tls-cert-file= -tls-key-file= -tls-client-ca-file= -tls-disable -no-listen -dev -dev-root-token-id= -dev-listen-address= -dev-no-store-token -log-level= -log-format= -store=' ;;
    'completion') choices='bash zsh fish' ;;
    'config list') choices='-format=' ;;
    'config get') choices='' ;;
    'config set') choices='' ;;
    'config unset') choices='' ;;
    'complete') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'version') choices='' ;;
    'print token') choices='' ;;
    'policy write') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'policy read') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'policy list') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'policy delete') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'policy fmt') choices='' ;;
    'token create') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -id= -display-name= -ttl= -explicit-max-ttl= -period= -renewable -orphan -no-default-policy -use-limit= -role= -type= -metadata= -policy= -entity-alias=' ;;
    'token lookup') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -accessor' ;;
    'token renew') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -increment= -accessor' ;;
    'token revoke') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -self -accessor -mode=' ;;
    'token capabilities') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -accessor' ;;
    'auth enable') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -path= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version= -local -seal-wrap -external-entropy-access -plugin-name= -token-type=' ;;
    'auth disable') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'auth list') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'auth move') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'auth tune') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version= -token-type= -user-lockout-threshold= -user-lockout-duration= -user-lockout-counter-reset-duration= -user-lockout-disable' ;;
    'auth help') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'audit enable') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -path= -description= -local' ;;
    'audit disable') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'audit list') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'secrets enable') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -path= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version= -local -seal-wrap -external-entropy-access -plugin-name= -force-no-cache' ;;
    'secrets disable') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'secrets list') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'secrets move') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'secrets tune') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version=' ;;
    'kv get') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -mount= -version=' ;;
    'kv put') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -mount= -cas=' ;;
    'kv patch') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -mount= -cas= -method= -remove-data=' ;;
    'kv list') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed -mount=' ;;
    'kv delete') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -mount= -versions=' ;;
    'kv undelete') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -mount= -versions=' ;;
    'kv destroy') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -mount= -versions=' ;;
    'kv rollback') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -mount= -version=' ;;
    'kv enable-versioning') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'kv metadata get') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -mount=' ;;
    'kv metadata put') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -mount= -max-versions= -cas-required -delete-version-after= -custom-metadata=' ;;
    'kv metadata patch') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -mount= -max-versions= -cas-required -delete-version-after= -custom-metadata= -remove-custom-metadata=' ;;
    'kv metadata delete') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -mount=' ;;
    'lease list') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -limit= -watch' ;;
    'lease lookup') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'lease renew') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -increment=' ;;
    'lease revoke') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -prefix -force -sync' ;;
    'aws credential-process') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -mount= -ttl= -role-arn= -role-session-name=' ;;
    'operator init') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -seal= -no-store-token -status -key-shares= -key-threshold= -pgp-keys= -root-token-pgp-key= -recovery-shares= -recovery-threshold= -recovery-pgp-keys=' ;;
    'operator unseal') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -reset -migrate' ;;
    'operator seal') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'operator rekey') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -init -cancel -status -key-shares= -key-threshold= -nonce= -target= -verify -pgp-keys= -backup -backup-retrieve -backup-delete' ;;
    'operator generate-root') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -init -cancel -status -once -generate-otp -otp= -pgp-key= -decode= -nonce=' ;;
    'operator rotate') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'operator key-status') choices='-store= -address= -ca-cert= -ca-path= -client-cert= -client-key= -tls-server-name= -tls-skip-verify -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
  esac
  if [[ "$current" != -* ]]; then
    case "$path" in
    'read' | 'write' | 'list' | 'delete' | 'patch' | 'path-help' | 'token capabilities' | 'lease lookup' | 'lease renew' | 'lease revoke' | 'secrets disable' | 'secrets tune' | 'secrets move' | 'auth disable' | 'auth tune' | 'auth move' | 'auth help' | 'policy read' | 'policy write' | 'policy delete' | 'kv get' | 'kv put' | 'kv patch' | 'kv list' | 'kv delete' | 'kv undelete' | 'kv destroy') choices+=" $(VSEC_SWEEP=off vsec complete -non-interactive "$path" "$current" 2>/dev/null)" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  [[ "${COMPREPLY[0]:-}" == *[=/] ]] && compopt -o nospace
}
complete -o default -F _vsec vsec

# bash completion for vsec; made by "vsec completion bash"
_vsec() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" word choices="" candidate index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="${COMP_WORDS[index]}"
    candidate="${path:+$path }$word"
    case "$candidate" in
    'secrets' | 'policy' | 'token' | 'auth' | 'audit' | 'lease' | 'operator' | 'print' | 'read' | 'write' | 'patch' | 'list' | 'delete' | 'status' | 'login' | 'unwrap' | 'path-help' | 'daemon' | 'completion' | 'version' | 'print token' | 'policy write' | 'policy read' | 'policy list' | 'policy delete' | 'policy fmt' | 'token create' | 'token lookup' | 'token renew' | 'token revoke' | 'token capabilities' | 'auth enable' | 'auth disable' | 'auth list' | 'auth move' | 'auth tune' | 'auth help' | 'audit enable' | 'audit disable' | 'audit list' | 'secrets enable' | 'secrets disable' | 'secrets list' | 'secrets move' | 'secrets tune' | 'lease lookup' | 'lease renew' | 'lease revoke' | 'operator init' | 'operator unseal' | 'operator seal' | 'operator rotate' | 'operator key-status') path="$candidate" ;;
    *) break ;;
    esac
  done
  if [[ "$current" == "=" || "${COMP_WORDS[COMP_CWORD - 1]}" == "=" ]]; then
    local flag="${COMP_WORDS[COMP_CWORD - 1]}"
    [[ "$flag" == "=" ]] && flag="${COMP_WORDS[COMP_CWORD - 2]}"
    case "$flag" in
    -format) choices='table json yaml raw' ;;
    -method) choices='approle jwt token userpass' ;;
    -log-level) choices='trace debug info warn error' ;;
    -log-format) choices='standard json' ;;
    -type) choices='service batch' ;;
    -mode) choices='orphan path' ;;
    -token-type) choices='default-service default-batch service batch' ;;
    -seal) choices='keychain key-file passphrase env' ;;
    esac
    COMPREPLY=($(compgen -W "$choices" -- "${current#=}"))
    return
  fi
  case "$path" in
    '') choices='audit auth completion daemon delete lease list login operator patch path-help policy print read secrets status token unwrap version write' ;;
    'secrets') choices='disable enable list move tune' ;;
    'policy') choices='delete fmt list read write' ;;
    'token') choices='capabilities create lookup renew revoke' ;;
    'auth') choices='disable enable help list move tune' ;;
    'audit') choices='disable enable list' ;;
    'lease') choices='lookup renew revoke' ;;
    'operator') choices='init key-status rotate seal unseal' ;;
    'print') choices='token' ;;
    'read') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format=' ;;
    'write') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -force' ;;
    'patch') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -force' ;;
    'list') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'delete') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format=' ;;
    'status') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'login') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -method= -path= -no-store -no-print -token-only' ;;
    'unwrap') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format=' ;;
    'path-help') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'daemon') choices='-once -log-level= -log-format= -store=' ;;
    'completion') choices='bash zsh fish' ;;
    'version') choices='' ;;
    'print token') choices='' ;;
    'policy write') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'policy read') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'policy list') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'policy delete') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'policy fmt') choices='' ;;
    'token create') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -id= -display-name= -ttl= -explicit-max-ttl= -period= -renewable -orphan -no-default-policy -use-limit= -role= -type= -metadata= -policy= -entity-alias=' ;;
    'token lookup') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -field= -format= -accessor' ;;
    'token renew') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -increment= -accessor' ;;
    'token revoke') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -self -accessor -mode=' ;;
    'token capabilities') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -accessor' ;;
    'auth enable') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -path= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version= -local -seal-wrap -external-entropy-access -plugin-name= -token-type=' ;;
    'auth disable') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'auth list') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'auth move') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'auth tune') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version= -token-type= -user-lockout-threshold= -user-lockout-duration= -user-lockout-counter-reset-duration= -user-lockout-disable' ;;
    'auth help') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'audit enable') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -path= -description= -local' ;;
    'audit disable') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'audit list') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'secrets enable') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -path= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version= -local -seal-wrap -external-entropy-access -plugin-name= -force-no-cache' ;;
    'secrets disable') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'secrets list') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -detailed' ;;
    'secrets move') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'secrets tune') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -description= -default-lease-ttl= -max-lease-ttl= -options= -version= -listing-visibility= -audit-non-hmac-request-keys= -audit-non-hmac-response-keys= -passthrough-request-headers= -allowed-response-headers= -plugin-version=' ;;
    'lease lookup') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'lease renew') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -increment=' ;;
    'lease revoke') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -prefix -force -sync' ;;
    'operator init') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -seal= -no-store-token -status -key-shares= -key-threshold=' ;;
    'operator unseal') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format= -reset' ;;
    'operator seal') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl=' ;;
    'operator rotate') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
    'operator key-status') choices='-store= -address= -header= -non-interactive -output-curl-string -output-policy -wrap-ttl= -format=' ;;
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  [[ "${COMPREPLY[0]:-}" == *= ]] && compopt -o nospace
}
complete -o default -F _vsec vsec

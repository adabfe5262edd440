# Runs before Envoy gets SIGTERM, on which it would end at once and cut every answer under way.
# $1: port of the admin. $2: seconds to serve on in any case. $3: seconds, after those, to wait for answers under way.
ask() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$2" "$3" >&3
  while IFS= read -r line <&3; do printf '%s\n' "${line%$'\r'}"; done
  exec 3>&-
}

# Clients are told to connect elsewhere with their next answer; who has not heard of the end yet is still served.
ask "$1" POST /healthcheck/fail >/dev/null
ask "$1" POST '/drain_listeners?graceful&skip_exit' >/dev/null
sleep "$2"

end=$((SECONDS + $3))
while [ "$SECONDS" -lt "$end" ]; do
  stats=$(ask "$1" GET '/stats?filter=http.ingress.downstream_rq_active')
  # Without an answer Envoy is gone already.
  case "$stats" in
    '') break ;;
    *'http.ingress.downstream_rq_active: 0'*) break ;;
  esac
  sleep 1
done
# The access log entries of the last answers are still on their way to the processor.
sleep 1

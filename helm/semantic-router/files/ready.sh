# Whether Envoy serves, asked of its admin port: that is open inside the pod only, so the kubelet cannot ask by itself.
# $1: port of the admin. $2: `any`, where every answer will do, also that of an Envoy that drains.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r _ status _ <&3 || exit 1
[ "$status" = 200 ] || { [ "$2" = any ] && [ -n "$status" ]; }

#!/usr/bin/env bash
# Runs a command beside PgBouncer (Debian's, or the program that PGBOUNCER names), in the given mode (session,
# transaction), which leads to every database of the server at DATABASE_URL and ends with the command. Tests let their
# servers go through it, as TEST_POOLER says.
set -euo pipefail
mode="$1"
shift
folder="$(mktemp -d)"
read -r port config < <(node -e '
  const { hostname, port, username, password } = new URL(process.env.DATABASE_URL);
  const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
    const to = `host=${hostname} port=${port || 5432} user=${username} password=${decodeURIComponent(password)}`;
    console.log(server.address().port, to);
    server.close();
  });')
cat >"$folder/pgbouncer.ini" <<INI
[databases]
* = $config
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = $mode
max_client_conn = 1000
INI
chmod -R a+rX "$folder"
# It does not run as root.
as_nobody=()
[ "$(id -u)" = 0 ] && as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
"${as_nobody[@]}" "${PGBOUNCER:-/usr/sbin/pgbouncer}" -q "$folder/pgbouncer.ini" 2>"$folder/log" &
bouncer=$!
trap 'kill "$bouncer"; wait "$bouncer" || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  kill -0 "$bouncer" || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
TEST_POOLER="$mode 127.0.0.1:$port" "$@"

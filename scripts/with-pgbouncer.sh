#!/usr/bin/env bash
# Runs a command beside PgBouncer (Debian's, or the program that PGBOUNCER names), in the given mode (session,
# transaction), which leads to every database of the server at DATABASE_URL and ends with the command. Tests let their
# servers go through it, as TEST_POOLER says.
set -euo pipefail
mode="$1"
shift
folder="$(mktemp -d)"
# Roles log in as themselves: what their passwords are made into is the server's to say, to this role.
read -r port host server_port user password < <(node -e '
  const { hostname, port, username, password } = new URL(process.env.DATABASE_URL);
  const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
    // Some versions look no further than the first address of a name.
    const host = hostname === "localhost" ? "127.0.0.1" : hostname;
    console.log(server.address().port, host, port || 5432, username, decodeURIComponent(password));
    server.close();
  });')
printf '"%s" "%s"\n' "$user" "$password" >"$folder/users"
cat >"$folder/pgbouncer.ini" <<INI
[databases]
* = host=$host port=$server_port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $folder/users
auth_user = $user
auth_query = SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolname = \$1
pool_mode = $mode
max_client_conn = 1000
# Tests take the database away, and do not wait for 15 s when it is back.
server_login_retry = 1
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

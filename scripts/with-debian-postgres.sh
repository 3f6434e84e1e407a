#!/usr/bin/env bash
# Runs a command with the DATABASE_URL of a PostgreSQL server of Debian's version, which ends with the command.
set -euo pipefail
exec pg_virtualenv -o fsync=off -o max_connections=200 bash -c '
  DATABASE_URL="postgresql://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/postgres" exec "$@"' - "$@"

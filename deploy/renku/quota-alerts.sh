#!/bin/sh
# Posts Renku's quota alerts once; to be run every five minutes, where psql, curl and jq are: see docs/renku.md.
# RENKU_DATABASE_URL  Renku's own database, as a role that may SELECT and UPDATE notifications.alerts
# PGPASSWORD          that role's password, which in the address every process could read
# INSTANCE            https://your-renku-instance.com
# CLIENT_SECRET_FILE  file with the secret of Keycloak's client CLIENT_ID (default: alertmanager)
set -eu
: "${RENKU_DATABASE_URL:?}" "${INSTANCE:?}" "${CLIENT_SECRET_FILE:?}"

post() { curl --silent --show-error --fail-with-body --max-time 30 "$@"; }

answer=$(tr -d '\n' <"$CLIENT_SECRET_FILE" | post "$INSTANCE/auth/realms/Renku/protocol/openid-connect/token" \
  --data grant_type=client_credentials \
  --data-urlencode "client_id=${CLIENT_ID:-alertmanager}" \
  --data-urlencode client_secret@-) || {
  printf 'No token of %s: %s\n' "$INSTANCE" "$answer" >&2
  exit 1
}
token=$(printf '%s' "$answer" | jq --exit-status --raw-output .access_token)

# Only with a token in hand: what the statement closes is to be posted.
alerts=$(psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
  --file "$(dirname "$0")/quota-alerts.sql" "$RENKU_DATABASE_URL")
printf '%s' "$alerts" |
  post "$INSTANCE/api/data/webhooks/grafana" --header "Authorization: Bearer $token" \
    --header 'Content-Type: application/json' --data-binary @-
echo

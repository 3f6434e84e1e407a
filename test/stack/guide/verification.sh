# Get an OAuth2 token
TOKEN=$(curl -X POST \
  "https://your-renku-instance.com/auth/realms/Renku/protocol/openid-connect/token" \
  -d "grant_type=client_credentials" \
  -d "client_id=alertmanager" \
  -d "client_secret=YOUR_CLIENT_SECRET" \
  | jq -r '.access_token')

# Send a test alert
curl -X POST \
  "https://your-renku-instance.com/api/data/webhooks/alertmanager" \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "version": "4",
    "groupKey": "test",
    "status": "firing",
    "alerts": [{
      "status": "firing",
      "labels": {
        "safe_username": "KEYCLOAK_USER_ID",
        "statefulset": "test-session"
      },
      "annotations": {
        "title": "Test Alert",
        "description": "Testing the webhook integration"
      },
      "startsAt": "2025-11-27T12:00:00Z"
    }]
  }'

import { ANN, BOB, CLIENT } from './demo-people.js';

/** What the demo prints when it is ready: the address, tokens, and commands to copy. */
export function welcome(origin: string, tokens: { ann: string; bob: string; admin: string }): string {
  return `
Session alerts is running at ${origin}
  API            ${origin}/api/data      (described at ${origin}/api/data/docs)
  Issuer         ${origin}/auth/realms/Renku
  OAuth2 client  ${CLIENT.id}, secret ${CLIENT.secret}
  Users          ann (id ${ANN.sub}), bob (id ${BOB.sub}), admin

Tokens, valid for a day:

ANN=${tokens.ann}

BOB=${tokens.bob}

ADMIN=${tokens.admin}

Send a test alert, as the administrators' guide does (paste it into another terminal):

# Get an OAuth2 token
TOKEN=$(curl -s -X POST \\
  "${origin}/auth/realms/Renku/protocol/openid-connect/token" \\
  -d "grant_type=client_credentials" \\
  -d "client_id=${CLIENT.id}" \\
  -d "client_secret=${CLIENT.secret}" \\
  | jq -r '.access_token')

# Send a test alert
curl -X POST \\
  "${origin}/api/data/webhooks/alertmanager" \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "version": "4",
    "groupKey": "test",
    "status": "firing",
    "alerts": [{
      "status": "firing",
      "labels": {
        "safe_username": "${ANN.sub}",
        "statefulset": "test-session"
      },
      "annotations": {
        "title": "Test Alert",
        "description": "Testing the webhook integration"
      },
      "startsAt": "2025-11-27T12:00:00Z"
    }]
  }'

# See it as ann
curl -H "Authorization: Bearer ${tokens.ann}" \\
  "${origin}/api/data/alerts"

Ctrl-C ends it and leaves nothing behind.
`;
}

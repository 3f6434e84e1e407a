import type { EmbeddedClient } from './embedded-issuer.js';

/**
 * Alertmanager's client. Secret and first user are called what the administrators' guide calls them in its
 * commands, so that these work with nothing but the address replaced.
 */
export const CLIENT: EmbeddedClient = {
  id: 'alertmanager',
  secret: 'YOUR_CLIENT_SECRET',
  roles: ['alertmanager-webhook'],
};

interface Person {
  sub: string;
  username: string;
  roles: string[];
  /** Where the demo's mail server takes their mail. */
  email?: string;
}
export const ANN: Person = {
  sub: 'KEYCLOAK_USER_ID',
  username: 'ann',
  roles: [],
  email: 'ann@example.org',
};
export const BOB: Person = {
  sub: '2c1d6a1e-5b0f-4a77-9e0b-6a1f0c9d2b22',
  username: 'bob',
  roles: [],
  email: 'bob@example.org',
};
export const ADMIN: Person = {
  sub: '9f3e2d1c-7a6b-4c5d-8e9f-0a1b2c3d4e33',
  username: 'admin',
  roles: ['renku-admin'],
};

import { inHost, itServes } from './hosts.js';

inHost('nest12-fastify', (host) => {
  itServes(host);
});

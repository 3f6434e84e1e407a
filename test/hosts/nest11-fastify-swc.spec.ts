import { inHost, itServes } from './hosts.js';

inHost('nest11-fastify-swc', (host) => {
  itServes(host);
});

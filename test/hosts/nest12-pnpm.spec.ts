import { inHost, itServes } from './hosts.js';

inHost('nest12-pnpm', (host) => {
  itServes(host);
});

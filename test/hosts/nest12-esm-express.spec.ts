import { inHost, itServes } from './hosts.js';

inHost('nest12-esm-express', (host) => {
  itServes(host);
});

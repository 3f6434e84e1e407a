import { inHost, itServes } from './hosts.js';

inHost('nest11-webpack', (host) => {
  describe('with its packages beside it', () => {
    itServes(host);
  });

  describe('in one file with all of its packages', () => {
    beforeAll(() => host().removePackages());

    itServes(host, { script: 'start:bundled' });
  });
});

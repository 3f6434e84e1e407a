import { inHost, itServes } from './hosts.js';

inHost('nest11-commonjs-express', (host) => {
  itServes(host);

  it('imports the package in its own tests under ts-jest', async () => {
    expect(await host().npm('test', '--', '--json')).toContain('"numPassedTests":1');
  });
});

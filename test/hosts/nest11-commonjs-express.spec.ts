import { itServes } from './hosts.js';

itServes('nest11-commonjs-express', (host) => {
  it('imports the package in its own tests under ts-jest', async () => {
    expect(await host().npm('test', '--', '--json')).toContain('"numPassedTests":1');
  });
});

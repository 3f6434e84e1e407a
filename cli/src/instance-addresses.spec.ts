import { UsageError } from './command-error.js';
import { httpAddress, instanceAddresses } from './instance-addresses.js';

describe('The addresses of an instance', () => {
  it("are the guide's paths on it", () => {
    expect(instanceAddresses({ instance: 'https://renku.example.org/' })).toEqual({
      instance: 'https://renku.example.org',
      apiUrl: 'https://renku.example.org/api/data',
      issuer: 'https://renku.example.org/auth/realms/Renku',
    });
  });

  it('can be given one by one', () => {
    const apiUrl = 'http://alerts.monitoring.svc:3000/api/data';
    const issuer = 'https://login.example.org/realms/people';
    expect(instanceAddresses({ apiUrl, issuer })).toEqual({
      instance: 'http://alerts.monitoring.svc:3000',
      apiUrl,
      issuer,
    });
    expect(instanceAddresses({ instance: 'https://renku.example.org', issuer })).toEqual({
      instance: 'https://renku.example.org',
      apiUrl: 'https://renku.example.org/api/data',
      issuer,
    });
  });

  it('are asked for where they are missing', () => {
    expect(() => instanceAddresses({})).toThrow(UsageError);
    expect(() => instanceAddresses({ apiUrl: 'https://renku.example.org/api/data' })).toThrow(/--instance/);
  });

  it.each([
    'renku.example.org',
    'ftp://renku.example.org',
    'https://',
    'https://user:pass@renku.example.org',
    'https://renku.example.org/?a=b',
    'https://renku.example.org/#a',
    "https://renku.example.org/'",
    'https://renku.example.org/ x',
    'https://renku.example.org\n',
  ])('are not %j, which is not repeated', (address) => {
    expect(() => httpAddress('--instance', address)).toThrow(UsageError);
    expect(() => httpAddress('--instance', address)).not.toThrow(/pass@/);
  });

  it.each(['http://[::1]:8080/auth', 'https://renku.example.org/a-b/c_d~e.f/%20'])('may be %s', (address) => {
    expect(httpAddress('--url', address)).toBe(address);
  });
});

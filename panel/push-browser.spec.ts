import { bytesOf, obstacleIn } from './push-browser.js';
import type { PushEnvironment } from './push-browser.js';

describe('A browser', () => {
  const good: PushEnvironment = {
    hasWorker: true,
    isSecure: true,
    isSupported: true,
    isApples: false,
    permission: 'default',
  };

  it.each<[string | undefined, Partial<PushEnvironment>]>([
    [undefined, {}],
    [undefined, { permission: 'granted' }],
    [undefined, { isApples: true }],
    ['noWorker', { hasWorker: false, isSecure: false }],
    ['insecure', { isSecure: false, isSupported: false, permission: undefined }],
    ['unsupported', { isSupported: false, permission: undefined }],
    ['notInstalled', { isSupported: false, isApples: true }],
    ['denied', { permission: 'denied' }],
  ])('is reached by web push but for %j, %j', (obstacle, environment) => {
    expect(obstacleIn({ ...good, ...environment })).toBe(obstacle);
  });

  it('is given a key as bytes', () => {
    expect([...bytesOf('-_8BAg')]).toEqual([251, 255, 1, 2]);
  });
});

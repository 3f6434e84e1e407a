import { isPushService, PUSH_SERVICES } from './push-services.js';

describe('A push service', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/x:y',
    'https://FCM.GoogleAPIs.com:443/wp/x',
    'https://updates.push.services.mozilla.com/wpush/v2/x',
    'https://web.push.apple.com/x',
    'https://eu.push.apple.com/x',
    'https://wns2-par02p.notify.windows.com/w/?token=x',
  ])('is known at %s', (endpoint) => {
    expect(isPushService(endpoint, PUSH_SERVICES)).toBe(true);
  });

  it.each([
    'http://fcm.googleapis.com/x',
    'https://fcm.googleapis.com.example.org/x',
    'https://fcm.googleapis.com./x',
    'https://fcm.googleapis.com:8443/x',
    'https://fcm.googleapis.com@127.0.0.1/x',
    'https://jane:x@fcm.googleapis.com/x',
    'https://127.0.0.1\\@fcm.googleapis.com/x',
    'https://evilnotify.windows.com/x',
    'https://notify.windows.com/x',
    'https://.notify.windows.com/x',
    'https://x.notify.windows.com./x',
    'https://x.notify.windows.com:8443/x',
    'https://127.0.0.1/.notify.windows.com',
    'https://127.0.0.1?.notify.windows.com',
    'https://127.0.0.1#.notify.windows.com',
    'https://[::1]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://2130706433/x',
    // A Cyrillic letter.
    'https://fcm.googleapis.c\u043Em/x',
    'https://',
    'push',
    '',
  ])('is none at %j', (endpoint) => {
    expect(isPushService(endpoint, PUSH_SERVICES)).toBe(false);
  });

  it('may be one of the settings, as they are written', () => {
    const services = ['Push.Example.org:8443', '*.push.example.net', 'push.example.com:443'];
    expect(isPushService('https://push.example.org:8443/x', services)).toBe(true);
    expect(isPushService('https://push.example.org/x', services)).toBe(false);
    expect(isPushService('https://a.b.push.example.net/x', services)).toBe(true);
    expect(isPushService('https://push.example.com/x', services)).toBe(true);
  });
});

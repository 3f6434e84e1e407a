/** Where browsers let themselves be reached: an endpoint is what a user says, and nothing else is asked. */
export const PUSH_SERVICES: readonly string[] = [
  'fcm.googleapis.com',
  'updates.push.services.mozilla.com',
  'web.push.apple.com',
  '*.push.apple.com',
  '*.notify.windows.com',
];

/** A label at least, before what a service is known by. */
const NAME_BELOW = /^[a-z0-9_-]+\./;

/**
 * Whether an endpoint is that of one of these, as the request goes to it: without user and password, at its own port.
 * @param services hosts, with their port where it is not 443; `*.` before one stands for whatever is below it
 */
export function isPushService(endpoint: string, services: readonly string[]): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { protocol, host, username, password } = new URL(endpoint);
  if (protocol !== 'https:' || username !== '' || password !== '') return false;
  return services.some((service) => {
    // A browser's endpoint is in lower case and without 443, whoever wrote the setting.
    const known = service.toLowerCase().replace(/:443$/, '');
    return known.startsWith('*.') ? NAME_BELOW.test(host) && host.endsWith(known.slice(1)) : host === known;
  });
}

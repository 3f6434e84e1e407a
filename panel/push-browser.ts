/** Why a browser cannot be reached by web push. */
export type PushObstacle = 'noWorker' | 'insecure' | 'notInstalled' | 'unsupported' | 'denied';

/** What a browser says of itself. */
export interface PushEnvironment {
  hasWorker: boolean;
  isSecure: boolean;
  isSupported: boolean;
  /** Apple's telephones and tablets let only what was added to their Home Screen be reached. */
  isApples: boolean;
  permission: NotificationPermission | undefined;
}

/** What is in the way, the first first. */
export function obstacleIn(environment: PushEnvironment): PushObstacle | undefined {
  if (!environment.hasWorker) return 'noWorker';
  if (!environment.isSecure) return 'insecure';
  if (!environment.isSupported) return environment.isApples ? 'notInstalled' : 'unsupported';
  return environment.permission === 'denied' ? 'denied' : undefined;
}

/** @param worker address of the service worker; an empty text where the page gives none */
export function environmentOf(worker: string): PushEnvironment {
  const { userAgent, maxTouchPoints } = navigator;
  return {
    hasWorker: worker !== '',
    isSecure: window.isSecureContext,
    isSupported: 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window,
    isApples: /iPhone|iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1),
    permission: 'Notification' in window ? Notification.permission : undefined,
  };
}

/** What this browser is subscribed by, if it is. */
export async function subscriptionHere(worker: string): Promise<PushSubscription | undefined> {
  const registration = await navigator.serviceWorker.getRegistration(scopeOf(worker));
  // That of the page's own worker is not ours.
  if (registration?.scope !== scopeOf(worker)) return undefined;
  return (await registration.pushManager.getSubscription()) ?? undefined;
}

/**
 * Subscribes this browser, whose permission is there.
 *
 * @param key the server's, as base64url
 */
export async function subscribe(worker: string, key: string): Promise<PushSubscriptionJSON> {
  const address = new URL(worker, document.baseURI).href;
  const registration = await navigator.serviceWorker.register(trusted(address), { scope: scopeOf(worker) });
  await activated(registration);
  const { pushManager } = registration;
  const options = { userVisibleOnly: true, applicationServerKey: bytesOf(key) };
  try {
    return (await pushManager.subscribe(options)).toJSON();
  } catch (error) {
    // By another key than the server has now.
    const old = await pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return (await pushManager.subscribe(options)).toJSON();
  }
}

/** A scope of its own, in which there are no pages: the page's own worker stays what it is. */
function scopeOf(worker: string): string {
  return new URL('session-alerts-push/', new URL(worker, document.baseURI)).href;
}

async function activated({ installing, waiting, active }: ServiceWorkerRegistration): Promise<void> {
  const worker = active ?? waiting ?? installing;
  if (!worker || worker.state === 'activated') return;
  await new Promise<void>((resolve, reject) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve();
      if (worker.state === 'redundant') reject(new Error('The service worker does not start'));
    });
  });
}

export function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

interface ScriptUrlPolicy {
  createScriptURL(address: string): string;
}

let policy: ScriptUrlPolicy | undefined;

/** An address as pages take it that obey `require-trusted-types-for 'script'`: the page itself has given it. */
function trusted(address: string): string {
  const { trustedTypes } = window as {
    trustedTypes?: { createPolicy(name: string, rules: ScriptUrlPolicy): ScriptUrlPolicy };
  };
  try {
    policy ??= trustedTypes?.createPolicy('session-alerts', { createScriptURL: (given) => given });
  } catch {
    // A page that does not name our policy refuses the address, where it cares.
  }
  return policy?.createScriptURL(address) ?? address;
}

/**
 * The service worker that shows what is pushed (`PushPayload` of the server): a file of its own, to be served from the
 * page's origin. It keeps nothing, answers no requests of pages and lets no page wait for it.
 */

/** Of a service worker's scope, whose types exclude a page's. */
interface PushWorker {
  readonly registration: Pick<ServiceWorkerRegistration, 'showNotification'>;
  readonly location: { readonly href: string; readonly origin: string };
  readonly navigator: { readonly language: string };
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly OpenWindow[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener(type: 'push', listener: (event: PushedEvent) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: ClickEvent) => void): void;
}

interface OpenWindow {
  readonly url: string;
  focus(): Promise<unknown>;
}

interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface PushedEvent extends LastingEvent {
  readonly data: { text(): string } | null;
}

interface ClickEvent extends LastingEvent {
  readonly notification: Pick<Notification, 'close' | 'data'>;
}

/** What this needs of a notice. */
interface Notice {
  title: string;
  body: string;
  tag: string;
  url: string | undefined;
  isOver: boolean;
}

const worker = globalThis as unknown as PushWorker;

/** Of something that cannot be read: browsers want a notice for every push. */
const UNREADABLE: Record<string, string> = {
  en: 'There is news of your sessions',
  de: 'Es gibt Neues von Ihren Sitzungen',
  fr: 'Il y a du nouveau dans vos sessions',
  it: 'Ci sono novità dalle vostre sessioni',
};

worker.addEventListener('push', (event) => {
  const { title, body, tag, url, isOver } = noticeIn(event.data?.text());
  // Where the page has said so in the worker's own address: push-worker.js?icon=/icon.png
  const icon = new URL(worker.location.href).searchParams.get('icon');
  const options: NotificationOptions & { renotify: boolean } = {
    body,
    tag,
    dir: 'auto',
    data: { url },
    ...(icon !== null && { icon: new URL(icon, worker.location.href).href }),
    // What is graver by now is heard again; that it is over is not.
    renotify: !isOver,
    silent: isOver,
  };
  event.waitUntil(worker.registration.showNotification(title, options));
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { url } = (event.notification.data ?? {}) as { url?: string };
  event.waitUntil(show(url));
});

/** Shows the page that is open there, or opens it; where none is said, whichever page of ours is open. */
async function show(url: string | undefined): Promise<void> {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = windows.find(
    (one) => url === undefined || one.url === url || one.url.replace(/#.*/, '') === url,
  );
  if (open) await open.focus();
  else await worker.clients.openWindow(url ?? worker.location.origin);
}

function noticeIn(text = ''): Notice {
  const { title, body, tag, url, transition } = read(text);
  if (typeof title !== 'string' || title === '' || typeof tag !== 'string' || tag === '') {
    const language = worker.navigator.language.slice(0, 2);
    return {
      title: UNREADABLE[language] ?? UNREADABLE['en'] ?? '',
      body: '',
      tag: 'session-alerts',
      url: undefined,
      isOver: false,
    };
  }
  return {
    title,
    body: typeof body === 'string' ? body : '',
    tag,
    // As browsers write the addresses of pages.
    url: typeof url === 'string' && /^https?:/.test(url) && URL.canParse(url) ? new URL(url).href : undefined,
    isOver: transition === 'over',
  };
}

function read(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

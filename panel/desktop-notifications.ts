/** Whether the browser lets the page notify: `unavailable` where it cannot at all, as outside of https. */
export type NotificationsState = NotificationPermission | 'unavailable';

export function notificationsState(): NotificationsState {
  return 'Notification' in globalThis ? Notification.permission : 'unavailable';
}

/** Asks the person, which a browser allows in a click only. */
export async function askForNotifications(): Promise<NotificationsState> {
  try {
    return await Notification.requestPermission();
  } catch {
    return notificationsState();
  }
}

/** Notifies of something. A click on it shows the page. */
export function notify(
  heading: string,
  { body, tag, lang }: { body: string; tag: string; lang: string },
  onClick: () => void,
): void {
  try {
    const notification = new Notification(heading, { body, tag, lang, dir: 'auto' });
    notification.onclick = () => {
      window.focus();
      notification.close();
      onClick();
    };
  } catch {
    // Browsers of phones know notifications of workers only.
  }
}

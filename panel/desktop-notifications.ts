/** Notifies of something. A click on it shows the page. */
export function notify(
  heading: string,
  options: { body: string; tag: string; lang: string },
  onClick: () => void,
): void {
  try {
    const notification = new Notification(heading, { ...options, dir: 'auto' });
    notification.onclick = () => {
      window.focus();
      notification.close();
      onClick();
    };
  } catch {
    // Browsers of phones know notifications of workers only.
  }
}

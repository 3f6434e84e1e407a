/** What each panel of the page counts. */
const counts = new Map<object, readonly string[]>();
/** The page's own title, and ours. */
let title: { own: string; shown: string } | undefined;
let watching: MutationObserver | undefined;
/** The page's own icon, in place of which ours stands. */
let icon: { own: HTMLLinkElement | undefined; ours: HTMLLinkElement } | undefined;
let drawing = 0;

const SIZE = 32;

/** Shows in the tab's title and icon how many alerts are open, each once however many panels show it. */
export function countInTab(panel: object, ids: readonly string[]): void {
  counts.set(panel, ids);
  show();
}

/** A panel counts no more; after the last one title and icon are the page's own again. */
export function endCountInTab(panel: object): void {
  if (counts.delete(panel)) show();
}

function show(): void {
  const count = new Set([...counts.values()].flat()).size;
  showTitle(count);
  showIcon(count);
  if (counts.size > 0) {
    // Pages change their title as they go.
    watching ??= new MutationObserver(() => {
      if (document.title !== title?.shown) showTitle(new Set([...counts.values()].flat()).size);
    });
    watching.observe(document.head, { childList: true, characterData: true, subtree: true });
  } else {
    watching?.disconnect();
    watching = undefined;
  }
}

function showTitle(count: number): void {
  const own = title && document.title === title.shown ? title.own : document.title;
  const shown = count > 0 ? `(${count}) ${own}` : own;
  title = counts.size > 0 ? { own, shown } : undefined;
  if (document.title !== shown) document.title = shown;
}

function showIcon(count: number): void {
  const draw = (drawing += 1);
  if (count === 0) {
    icon?.ours.remove();
    if (icon?.own) document.head.append(icon.own);
    icon = undefined;
    return;
  }
  const own = icon ? icon.own : (document.querySelector<HTMLLinkElement>('link[rel~="icon"]') ?? undefined);
  const image = new Image();
  image.crossOrigin = 'anonymous';
  const put = (withImage: boolean): void => {
    if (draw !== drawing) return;
    const href = drawIcon(withImage ? image : undefined, count);
    if (href === undefined) return;
    const ours = document.createElement('link');
    ours.rel = 'icon';
    ours.href = href;
    icon?.ours.remove();
    own?.remove();
    document.head.append(ours);
    icon = { own, ours };
  };
  image.onload = () => {
    put(true);
  };
  image.onerror = () => {
    put(false);
  };
  image.src = own?.href || '/favicon.ico';
}

/** The page's icon, if it may be drawn, with a red mark that says the number. */
function drawIcon(image: HTMLImageElement | undefined, count: number): string | undefined {
  const canvas = document.createElement('canvas');
  canvas.width = SIZE;
  canvas.height = SIZE;
  const context = canvas.getContext('2d');
  if (!context) return undefined;
  if (image) context.drawImage(image, 0, 0, SIZE, SIZE);
  const radius = image ? SIZE * 0.34 : SIZE * 0.5;
  context.fillStyle = '#b3261e';
  context.beginPath();
  context.arc(SIZE - radius, SIZE - radius, radius, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = '#ffffff';
  context.font = `bold ${radius * 1.5}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(count > 9 ? '9+' : String(count), SIZE - radius, SIZE - radius, radius * 1.8);
  try {
    return canvas.toDataURL();
  } catch {
    // An icon of another origin that does not let itself be read.
    return image ? drawIcon(undefined, count) : undefined;
  }
}

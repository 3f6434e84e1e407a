/** Where the panel stands in the window, in CSS pixels; it hangs below the bell, or stands above it. */
export interface PanelPosition {
  left: number;
  width: number;
  maxHeight: number;
  /** Distance from the window's top, unless it stands above the bell. */
  top: number | undefined;
  /** Distance from the window's bottom, where it stands above the bell. */
  bottom: number | undefined;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** From the window's edge, and from the bell. */
const GAP = 8;
/** A window no wider than this is filled by the panel. */
const NARROW = 480;
/** As high as it may become in a high window. */
const HIGHEST = 640;

/**
 * Places a panel of the wanted width at the bell: its end under the bell's end, in the window as a whole, on the side
 * where there is more room.
 */
export function placePanel(
  bell: Box,
  viewport: { width: number; height: number },
  wantedWidth: number,
  rightToLeft: boolean,
): PanelPosition {
  const room = viewport.width - 2 * GAP;
  const width = viewport.width <= NARROW ? room : Math.min(wantedWidth, room);
  const start = rightToLeft ? bell.left : bell.right - width;
  const left = Math.max(GAP, Math.min(start, viewport.width - GAP - width));

  const below = viewport.height - bell.bottom - 2 * GAP;
  const above = bell.top - 2 * GAP;
  // A little room below is better than more above: a panel is looked for under its button.
  const isBelow = below >= above || below >= HIGHEST / 2;
  return {
    left,
    width,
    maxHeight: Math.max(0, Math.min(HIGHEST, isBelow ? below : above)),
    top: isBelow ? bell.bottom + GAP : undefined,
    bottom: isBelow ? undefined : viewport.height - bell.top + GAP,
  };
}

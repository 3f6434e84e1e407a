/** Where the panel stands in the window, in CSS pixels; it hangs below the bell, or stands above it. */
export interface PanelPosition {
  left: number;
  width: number;
  maxHeight: number;
  /** Distance from the window's top, unless it stands above something. */
  top: number | undefined;
  /** Distance from the window's bottom, where it stands above something. */
  bottom: number | undefined;
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Whether two boxes have some place in common. */
export function meet(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

/** What the panel is placed by. */
export interface Surroundings {
  bell: Box;
  /** What is visible of the window. */
  view: Box;
  /** Height of the window, which `bottom` is measured from. */
  windowHeight: number;
  /** What has the focus, if that is not in the panel. */
  focus?: Box | undefined;
  /** As much as the panel wants. */
  width: number;
  height: number;
  rightToLeft: boolean;
}

/** From the window's edge, from the bell and from the focus. */
const GAP = 8;
/** A window no wider than this is filled by the panel. */
const NARROW = 480;
/** As high as it may become in a high window. */
const HIGHEST = 640;
/** A panel lower than this shows nothing. */
const LOWEST = 96;
/** A panel of this height can be read. */
const READABLE = 200;
/** Of what has the focus so much may be covered, where it is a whole editor. */
const EDITOR_COVERED = 0.5;

/**
 * Places the panel at the bell: its end under the bell's end, in what is visible of the window, on the side where there
 * is more room, and not over what has the focus (WCAG 2.2, 2.4.11); where the bell is out of sight, at that edge.
 * Undefined where no place is left.
 */
export function placePanel(around: Surroundings): PanelPosition | undefined {
  const { bell, view, focus, width: wanted, height, rightToLeft } = around;
  const room = view.right - view.left - 2 * GAP;
  const width = view.right - view.left <= NARROW ? room : Math.min(wanted, room);
  const first = view.left + GAP;
  const last = view.right - GAP - width;
  const atBell = clamp(rightToLeft ? bell.left : bell.right - width, first, last);
  const anchor = {
    top: clamp(bell.top, view.top, view.bottom),
    bottom: clamp(bell.bottom, view.top, view.bottom),
  };
  const below: Strip = { top: anchor.bottom + GAP, bottom: view.bottom - GAP, hangs: true };
  const above: Strip = { top: view.top + GAP, bottom: anchor.top - GAP, hangs: false };
  // A little room below is better than more above: a panel is looked for under its button.
  const strips =
    heightOf(below) >= heightOf(above) || heightOf(below) >= HIGHEST / 2 ? [below, above] : [above, below];

  const place = (left: number, strip: Strip): PanelPosition => ({
    left,
    width,
    maxHeight: Math.max(0, Math.min(HIGHEST, heightOf(strip))),
    top: strip.hangs ? strip.top : undefined,
    bottom: strip.hangs ? undefined : around.windowHeight - strip.bottom,
  });
  const [best] = strips as [Strip, Strip];
  const takes = Math.min(height, HIGHEST);
  if (!focus || !meet(occupied(atBell, width, best, takes), focus)) return place(atBell, best);

  const enough = Math.min(takes, READABLE);
  const places = [atBell, rightToLeft ? first : last, rightToLeft ? last : first].flatMap((left) =>
    strips.flatMap((strip) => without(strip, left, width, focus)).map((strip) => ({ left, strip })),
  );
  const free =
    places.find(({ strip }) => heightOf(strip) >= enough) ??
    places
      .filter(({ strip }) => heightOf(strip) >= LOWEST)
      .sort((one, other) => heightOf(other.strip) - heightOf(one.strip))[0];
  if (free) return place(free.left, free.strip);

  // All around is an editor: what has the focus is in it, and most of it stays in sight.
  const most = (areaOf(focus) * EDITOR_COVERED) / width;
  return most < enough
    ? undefined
    : { ...place(atBell, best), maxHeight: Math.min(HIGHEST, heightOf(best), most) };
}

/** A part of the window from top to bottom. */
interface Strip {
  top: number;
  bottom: number;
  /** Whether a panel in it begins at its top; otherwise it ends at its bottom. */
  hangs: boolean;
}

function heightOf({ top, bottom }: { top: number; bottom: number }): number {
  return bottom - top;
}

function areaOf(box: Box): number {
  return (box.right - box.left) * heightOf(box);
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/** What a panel of some height takes of a strip. */
function occupied(left: number, width: number, { top, bottom, hangs }: Strip, height: number): Box {
  const taken = Math.min(height, bottom - top);
  return {
    left,
    right: left + width,
    top: hangs ? top : bottom - taken,
    bottom: hangs ? top + taken : bottom,
  };
}

/** What is left of a strip beside what has the focus: above it, below it, or all where it is elsewhere. */
function without(strip: Strip, left: number, width: number, focus: Box): Strip[] {
  if (!meet({ ...strip, left, right: left + width }, focus)) return [strip];
  return [
    { ...strip, bottom: Math.min(strip.bottom, focus.top - GAP) },
    { ...strip, top: Math.max(strip.top, focus.bottom + GAP) },
  ].filter((part) => heightOf(part) > 0);
}

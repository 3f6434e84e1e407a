import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { deepFocus, modalOver } from './page-modals.js';
import { meet, placePanel } from './panel-position.js';
import type { Box, PanelPosition } from './panel-position.js';

/** Width of the panel where there is room, by the height of its text. */
const WIDTH = 28;
/** How high it is at least taken to be before it was ever open (px). */
const HEIGHT = 320;
/** How often a panel that cannot open looks whether it can (ms). */
const LOOK = 250;

/** The element whose panel opens. */
export interface OpeningHost extends ReactiveControllerHost, HTMLElement {
  open: boolean;
  readonly bell: HTMLElement;
  readonly panel: HTMLElement;
  /** Goes back to the alerts; whether there was something else in front of them. */
  back(): boolean;
}

/** The open panels of the page, the last opened at the end. */
const openPanels = new Set<PanelOpening>();

/**
 * When and where the panel is open: it never opens by itself in front of what the page has in front, over another
 * panel or over what has the focus; then it opens as soon as it can. What opened by itself is closed by Escape and by a
 * click outside.
 */
export class PanelOpening implements ReactiveController {
  /** Whether the panel opened by itself. */
  private itself = false;
  /** Whether somebody has been in it since. */
  private isTouched = false;
  /** What the page has in front. */
  private inFront: Element | undefined;
  private waiting: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly host: OpeningHost,
    private readonly onPlaced: () => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    window.addEventListener('resize', this.onMove);
    window.addEventListener('scroll', this.onMove, { capture: true, passive: true });
    window.visualViewport?.addEventListener('resize', this.onMove);
    window.visualViewport?.addEventListener('scroll', this.onMove);
    window.addEventListener('focusin', this.onMove, true);
    window.addEventListener('keydown', this.onKey, true);
    window.addEventListener('pointerdown', this.onPointer, true);
    window.addEventListener('blur', this.onBlur);
  }

  hostDisconnected(): void {
    window.removeEventListener('resize', this.onMove);
    window.removeEventListener('scroll', this.onMove, { capture: true });
    window.visualViewport?.removeEventListener('resize', this.onMove);
    window.visualViewport?.removeEventListener('scroll', this.onMove);
    window.removeEventListener('focusin', this.onMove, true);
    window.removeEventListener('keydown', this.onKey, true);
    window.removeEventListener('pointerdown', this.onPointer, true);
    window.removeEventListener('blur', this.onBlur);
    this.giveUp();
    openPanels.delete(this);
  }

  /** Lifts the open panel over all that the page has, where the browser can, and puts it in its place. */
  hostUpdated(): void {
    const { host } = this;
    if (!host.isConnected) return;
    if (host.open) this.giveUp();
    else this.itself = false;
    if ('popover' in HTMLElement.prototype) {
      const isRaised = host.panel.matches(':popover-open');
      if (host.open && !isRaised) host.panel.showPopover();
      if (!host.open && isRaised) host.panel.hidePopover();
    }
    if (!host.open) {
      openPanels.delete(this);
      return;
    }
    if (!this.place() || openPanels.has(this)) return;
    for (const other of openPanels) {
      if (meet(other.host.panel.getBoundingClientRect(), host.panel.getBoundingClientRect())) other.close();
    }
    openPanels.add(this);
  }

  /** Whether the panel is open by itself and nobody has been in it. */
  get isUntouched(): boolean {
    return this.itself && !this.isTouched;
  }

  /** There is news: opens now, or as soon as nothing is in the way. */
  openForNews(): void {
    if (this.host.open) return;
    if (this.canOpen()) {
      this.itself = true;
      this.isTouched = false;
      this.host.open = true;
    } else {
      this.wait();
    }
  }

  /** There is nothing any more that the panel would open for. */
  giveUp(): void {
    clearInterval(this.waiting);
    this.waiting = undefined;
  }

  /** Somebody is in the panel. */
  touch(): void {
    this.isTouched = true;
  }

  toggle(): void {
    this.itself = false;
    this.host.open = !this.host.open;
  }

  close(): void {
    this.giveUp();
    const hasFocus = this.host.panel.contains(this.host.shadowRoot?.activeElement ?? null);
    this.host.open = false;
    if (hasFocus) this.host.bell.focus();
  }

  private readonly onMove = (): void => {
    if (this.host.open) this.place();
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.isComposing || !this.host.open) return;
    if (event.composedPath().includes(this.host) || this.host.shadowRoot?.activeElement) {
      // The page's own dialogs stay open.
      event.stopPropagation();
      event.preventDefault();
    } else if (!this.itself || modalOver(this.host)) {
      return;
    }
    if (!this.host.back()) this.close();
  };

  private readonly onPointer = (event: PointerEvent): void => {
    if (!this.itself || event.composedPath().includes(this.host)) return;
    // A closed shadow root hides whose it is.
    const { clientX: x, clientY: y } = event;
    const point = { left: x, right: x + 1, top: y, bottom: y + 1 };
    if (!meet(this.host.panel.getBoundingClientRect(), point)) this.close();
  };

  /** A click into a frame is seen by nothing else. */
  private readonly onBlur = (): void => {
    if (this.itself && deepFocus() instanceof HTMLIFrameElement) this.close();
  };

  private wait(): void {
    this.waiting ??= setInterval(() => {
      this.openForNews();
    }, LOOK);
  }

  private canOpen(): boolean {
    const { host } = this;
    this.inFront = modalOver(host, this.inFront);
    if (this.inFront) return false;
    const position = this.positionFor(HEIGHT, true);
    if (!position) return false;
    const box = boxOf(position, document.documentElement.clientHeight);
    return [...openPanels].every((other) => !meet(other.host.panel.getBoundingClientRect(), box));
  }

  /** Puts the panel in its place; where there is none, it closes until there is one. */
  private place(): boolean {
    const { panel } = this.host;
    const height = [...panel.children].reduce((sum, part) => sum + part.scrollHeight, 2);
    const position =
      this.positionFor(height, true) ?? (this.itself ? undefined : this.positionFor(height, false));
    if (!position) {
      this.itself = false;
      this.host.open = false;
      this.wait();
      return false;
    }
    const { style } = panel;
    style.left = `${position.left}px`;
    style.width = `${position.width}px`;
    style.maxHeight = `${position.maxHeight}px`;
    style.top = position.top === undefined ? 'auto' : `${position.top}px`;
    style.bottom = position.bottom === undefined ? 'auto' : `${position.bottom}px`;
    this.onPlaced();
    return true;
  }

  private positionFor(height: number, besideFocus: boolean): PanelPosition | undefined {
    const { host } = this;
    const { clientWidth, clientHeight } = document.documentElement;
    const seen = window.visualViewport;
    const left = seen?.offsetLeft ?? 0;
    const top = seen?.offsetTop ?? 0;
    return placePanel({
      bell: host.bell.getBoundingClientRect(),
      view: {
        left,
        top,
        right: Math.min(clientWidth, left + (seen?.width ?? clientWidth)),
        bottom: Math.min(clientHeight, top + (seen?.height ?? clientHeight)),
      },
      windowHeight: clientHeight,
      focus: besideFocus ? this.focusOutside() : undefined,
      width: WIDTH * parseFloat(getComputedStyle(host.panel).fontSize),
      height,
      rightToLeft: getComputedStyle(host).direction === 'rtl',
    });
  }

  /** What has the focus and is no part of this element. */
  private focusOutside(): Box | undefined {
    const focused = deepFocus();
    if (!focused || focused.getRootNode() === this.host.shadowRoot) return undefined;
    const box = focused.getBoundingClientRect();
    return box.width > 0 && box.height > 0 ? box : undefined;
  }
}

function boxOf({ left, width, top, bottom, maxHeight }: PanelPosition, windowHeight: number): Box {
  const from = top ?? windowHeight - (bottom ?? 0) - maxHeight;
  return { left, right: left + width, top: from, bottom: from + maxHeight };
}

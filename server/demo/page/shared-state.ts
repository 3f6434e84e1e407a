import type { Series } from './alertmanager.js';

export const THEMES = ['system', 'light', 'dark'] as const;
export const DIRECTIONS = ['ltr', 'rtl'] as const;
export const WIDTHS = ['full', '375', '320'] as const;

/** A series that the page lets fire. */
export interface Firing {
  /** Name of the session. */
  session: string;
  trouble: string;
  /** What it is called on its button. */
  name: string;
  series: Series[];
}

/** What was done, what is to be expected of it, and what the API answered. */
export interface Happening {
  time: string;
  text: string;
  answer: string;
}

/** What the page and its frame have in common. */
export interface DemoState {
  language: string;
  theme: (typeof THEMES)[number];
  direction: (typeof DIRECTIONS)[number];
  width: (typeof WIDTHS)[number];
  quiet: boolean;
  tabCount: boolean;
  notifications: boolean;
  firing: Firing[];
  /** Names of sessions. */
  restarted: string[];
  /** The last first. */
  happenings: Happening[];
}

const START: DemoState = {
  language: 'en',
  theme: 'system',
  direction: 'ltr',
  width: 'full',
  quiet: false,
  tabCount: false,
  notifications: false,
  firing: [],
  restarted: [],
  happenings: [],
};

/** The state of the page in this tab, which outlives a reload but no start of the server. */
export class SharedState {
  private readonly key: string;

  constructor(run: string, onChange: () => void) {
    this.key = `session-alerts-demo:${run}`;
    window.addEventListener('storage', ({ key }) => {
      if (key === this.key) onChange();
    });
  }

  get(): DemoState {
    const stored = JSON.parse(sessionStorage.getItem(this.key) ?? '{}') as Partial<DemoState>;
    return { ...START, ...stored };
  }

  set(change: Partial<DemoState>): void {
    sessionStorage.setItem(this.key, JSON.stringify({ ...this.get(), ...change }));
  }
}

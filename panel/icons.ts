import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { knownSeverity } from './severity.js';
import type { KnownSeverity } from './severity.js';

const CIRCLE = 'M10 2.7a7.3 7.3 0 1 0 0 14.6 7.3 7.3 0 0 0 0-14.6Z';

const HIGH = 'm4.5 12.7 5.5-5.5 5.5 5.5';

/** Strokes on a square of 20 by 20. */
const STROKES = {
  bell: 'M10 2.8a4.7 4.7 0 0 0-4.7 4.7c0 4.2-1.8 5.4-1.8 6.3h13c0-.9-1.8-2.1-1.8-6.3A4.7 4.7 0 0 0 10 2.8ZM8.2 16.6a1.9 1.9 0 0 0 3.6 0',
  critical: 'M7 2.7h6L17.3 7v6L13 17.3H7L2.7 13V7ZM10 6.4v4.4M10 13.5v.01',
  page: `${CIRCLE}M10 6v5M10 13.6v.01`,
  error: `${CIRCLE}m7.4 7.4 5.2 5.2M12.6 7.4l-5.2 5.2`,
  major: HIGH,
  high: HIGH,
  warning: 'M10 3.1 2.5 16.2h15ZM10 8v3.8M10 14v.01',
  minor: 'm4.5 7.2 5.5 5.5 5.5-5.5',
  info: `${CIRCLE}M10 9.4v4.1M10 6.6v.01`,
  none: 'M5 17.5v-14M5 4h9.5l-2.2 3.3 2.2 3.2H5',
  clock: `${CIRCLE}M10 6v4.2l2.7 1.6`,
  check: 'm4.5 10.6 3.5 3.5 7.5-8.2',
  close: 'm5.5 5.5 9 9M14.5 5.5l-9 9',
  chevron: 'm5 7.5 5 5 5-5',
  external: 'M8.5 4.5h-4v11h11v-4M11.5 4.5h4v4M15.5 4.5 9 11',
} satisfies Record<KnownSeverity | 'bell' | 'clock' | 'check' | 'close' | 'chevron' | 'external', string>;

/** An icon in the colour of the text around it. It is decoration: what it means stands beside it in words. */
export function icon(name: keyof typeof STROKES): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
    <path d=${STROKES[name]}></path>
  </svg>`;
}

/** The icon of a severity; one that the panel does not know has that of none. */
export function severityIcon(severity: string | null): TemplateResult {
  return icon(knownSeverity(severity) ?? 'none');
}

import { createHash } from 'node:crypto';
import type { Language } from './languages.js';
import { html, Markup } from './plain-text.js';

const STYLE = `:root { color-scheme: light dark }
body { margin: 0 auto; max-width: 36rem; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; line-height: 1.3 }
button { font: inherit; min-height: 2.75rem; padding: .5rem 1rem; cursor: pointer }`;

/** What such a page may do: nothing but post its form to where it comes from. Its address is a secret of its reader's. */
export const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  Vary: 'Accept-Language',
} as const;

/** Asks whether e-mail is to be turned off; the button posts to the page's own address. */
export function questionPage(language: Language): string {
  const { offTitle, offQuestion, turnOff } = language.texts;
  return page(
    language,
    offTitle,
    html`<p>${offQuestion}</p>
      <form method="post">
        <button name="List-Unsubscribe" value="One-Click">${turnOff}</button>
      </form>`,
  );
}

export function donePage(language: Language): string {
  const { offDone, offDoneHint } = language.texts;
  return page(language, offDone, html`<p>${offDoneHint}</p>`);
}

/** Of an address with no key, or one that is nobody's. */
export function unknownPage(language: Language): string {
  const { offUnknown, offUnknownHint } = language.texts;
  return page(language, offUnknown, html`<p>${offUnknownHint}</p>`);
}

function page({ name }: Language, heading: string, content: Markup): string {
  // The hash is that of all that stands between the tags.
  const style = new Markup(`<style>${STYLE}</style>`);
  return html`<!DOCTYPE html>
    <html lang="${name}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${heading}</title>
        ${style}
      </head>
      <body>
        <main>
          <h1>${heading}</h1>
          ${content}
        </main>
      </body>
    </html> `.text;
}

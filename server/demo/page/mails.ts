import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';

/** A mail that came to the demo's own mail server. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
  /** RFC 3339. */
  date: string;
}

export async function loadMails(): Promise<Mail[]> {
  const response = await fetch('/demo/mails', { cache: 'no-store' });
  if (!response.ok) throw new Error(`The demo's mails were answered ${response.status}`);
  return (await response.json()) as Mail[];
}

/** What people would find in their mail programs. */
export function mailsView(mails: readonly Mail[]): TemplateResult {
  return html`<section class="mails" aria-labelledby="mails">
    <h2 id="mails">Mail</h2>
    ${
      mails.length === 0
        ? html`<p>
            None yet. Turn e-mail on in the settings of a panel: what is not seen within 20 seconds, or at
            once where no page is open, is told here.
          </p>`
        : nothing
    }
    ${mails.map(
      ({ to, subject, text, date }) =>
        html`<details>
          <summary>
            ${new Date(date).toLocaleTimeString('en-GB')} <strong>${subject}</strong> to ${to}
          </summary>
          <pre>${text}</pre>
        </details>`,
    )}
  </section>`;
}

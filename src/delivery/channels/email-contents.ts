import type { AlertMessage, ToldAlert } from '../alert-channel.js';
import { languageOf } from '../languages.js';
import type { Language } from '../languages.js';
import { html, htmlLines, linkable, plainLine, plainText } from '../plain-text.js';
import type { Markup } from '../plain-text.js';
import { fill, fillPlural } from '../texts.js';
import type { KnownSeverity } from '../texts.js';

/** What a mail says, as text and as HTML. */
export interface EmailContents {
  /** One line. */
  subject: string;
  text: string;
  html: string;
}

/** Alerts that a mail names, and characters of what people write in them: mail programs cut what is larger than 100 kB. */
const MOST_ALERTS = 20;
const LONGEST_TITLE = 200;
const LONGEST_MESSAGE = 1_000;
const LONGEST_SUBJECT = 150;
const LONGEST_SESSION = 100;

/** An alert in words. */
interface Said {
  title: string;
  /** What has become of it, how grave it is, of which session, and since when. */
  facts: string;
  /** Empty where it has none, says the same as the title, or is not so any more. */
  message: string;
  links: { label: string; address: string }[];
}

/**
 * Writes a mail. What people have written in their rules is text wherever it stands.
 * @param address to which it goes
 * @param turnOff where e-mail is turned off
 */
export function emailContents(
  { alerts, locale }: Pick<AlertMessage, 'alerts' | 'locale'>,
  { address, turnOff }: { address: string; turnOff: string },
): EmailContents {
  const language = languageOf(locale);
  const { name, texts } = language;
  const subject = subjectOf(alerts, language);
  const said = alerts.slice(0, MOST_ALERTS).map((told) => inWords(told, language));
  const others = alerts.length - said.length;
  const more = others > 0 ? [fillPlural(texts.andMore, others, name)] : [];
  const why = fill(texts.why, { address });
  const blocks = [...said.map(asText), ...more, `-- \n${why}\n${texts.turnOff}: ${turnOff}`];
  const page = html`<!DOCTYPE html>
    <html lang="${name}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${subject}</title>
      </head>
      <body style="margin: 0; padding: 16px; font: 16px/1.5 sans-serif">
        ${said.map(asHtml)}${more.map((line) => html`<p>${line}</p> `)}
        <p style="font-size: 14px">${why}<br /><a href="${turnOff}">${texts.turnOff}</a></p>
      </body>
    </html> `;
  return { subject, text: blocks.join('\n\n') + '\n', html: page.text };
}

function subjectOf(alerts: readonly ToldAlert[], { name, texts }: Language): string {
  const [gravest] = alerts;
  if (!gravest) return '';
  const { title, session_name: session } = gravest.alert;
  const shownTitle = plainLine(title, LONGEST_TITLE);
  const of =
    session === undefined
      ? shownTitle
      : fill(texts.subject, { title: shownTitle, session: plainLine(session, LONGEST_SESSION) });
  const count = alerts.length;
  const isOver = gravest.transition === 'over';
  const [one, several] = isOver
    ? [texts.subjectOver, texts.subjectOfMoreOver]
    : ['{subject}', texts.subjectOfMore];
  const values = { subject: of };
  return plainLine(
    count === 1 ? fill(one, values) : fillPlural(several, count, name, values),
    LONGEST_SUBJECT,
  );
}

function inWords({ transition, alert, link }: ToldAlert, { name, texts }: Language): Said {
  const { severity, session_name: session, creation_date: from, resolved_date: to } = alert;
  const clock = new Intl.DateTimeFormat(name === 'en' ? 'en-GB' : name, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  const time = (moment: Date): string => `${clock.format(moment)} UTC`;
  const facts = [
    texts.transitions[transition],
    ...(severity === null ? [] : [wordOf(severity, texts.severities)]),
    ...(session === undefined ? [] : [fill(texts.session, { session: plainLine(session, LONGEST_SESSION) })]),
    to === null
      ? fill(texts.since, { time: time(from) })
      : fill(texts.period, { from: time(from), to: time(to) }),
  ];
  const title = plainLine(alert.title, LONGEST_TITLE);
  const message = plainText(alert.message, LONGEST_MESSAGE);
  const isOver = transition === 'over';
  const toDo = [
    { label: texts.runbook, address: linkable(alert.runbook_url) },
    { label: plainLine(alert.action_label ?? '', LONGEST_TITLE), address: linkable(alert.action_url) },
  ];
  const links = [{ label: texts.openSession, address: linkable(link) }, ...(isOver ? [] : toDo)];
  return {
    title,
    facts: facts.join(' · '),
    message: isOver || message === title ? '' : message,
    links: links.filter((one): one is Said['links'][number] => one.address !== undefined && one.label !== ''),
  };
}

/** A severity that nobody knows is said as it is. */
function wordOf(severity: string, words: Record<KnownSeverity, string>): string {
  const word = severity.trim().toLowerCase();
  return Object.hasOwn(words, word) ? words[word as KnownSeverity] : plainLine(severity, LONGEST_SESSION);
}

function asText({ title, facts, message, links }: Said): string {
  const lines = links.map(({ label, address }) => `${label}: ${address}`).join('\n');
  return [`${title}\n${facts}`, message, lines].filter((part) => part !== '').join('\n\n');
}

function asHtml({ title, facts, message, links }: Said): Markup {
  const anchors = links.map(
    ({ label, address }, index) => html`${index === 0 ? '' : ' · '}<a href="${address}">${label}</a>`,
  );
  return html`<div style="margin: 0 0 24px">
    <h2 dir="auto" style="margin: 0; font-size: 18px">${title}</h2>
    <p style="margin: 0; font-size: 14px">${facts}</p>
    ${message === '' ? '' : html`<p dir="auto" style="margin: 8px 0">${htmlLines(message)}</p> `}${anchors.length === 0 ? '' : html`<p style="margin: 8px 0">${anchors}</p> `}
  </div> `;
}

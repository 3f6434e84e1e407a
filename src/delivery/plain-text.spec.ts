import { html, htmlLines, linkable, plainLine, plainText } from './plain-text.js';

describe("People's text", () => {
  it.each([
    ['Disk\r\nBcc: eve@example.org', 'Disk Bcc: eve@example.org'],
    ['a\u0000b\u0085c\u2028d\u2029e\u00a0 f', 'a b c d e f'],
    [' \t Disk \n', 'Disk'],
    ['\u202egnp.exe\u2069', 'gnp.exe'],
    ['12345678901', '123456789…'],
    ['😀😀😀😀😀😀😀😀😀😀', '😀😀😀😀😀😀😀😀😀😀'],
    ['😀😀😀😀😀😀😀😀😀😀😀', '😀😀😀😀😀😀😀😀😀…'],
  ])('%j is %j as a line', (text, expected) => {
    const longest = text.includes('Bcc') ? 100 : text.startsWith('a') ? 20 : 10;
    expect(plainLine(text, longest)).toBe(expected);
  });

  it('keeps its lines elsewhere', () => {
    expect(plainText('\u202eone\r\ntwo\rthree\u2028four\u0007\n', 100)).toBe('one\ntwo\nthree\nfour');
    expect(plainText('x'.repeat(11), 10)).toBe(`${'x'.repeat(9)}…`);
  });

  it.each([
    ['https://docs.example/a?b=1#c', true],
    ['HTTP://docs.example', true],
    ['mailto:help@example.org', true],
    ['javascript:alert(1)', false],
    ['data:text/html,x', false],
    ['//docs.example', false],
    ['https://docs.example/a b', false],
    ['https://docs.example/\u0000', false],
    ['https://', false],
    ['', false],
    [null, false],
    [undefined, false],
  ])('%j is an address that a link may lead to: %s', (address, isLinkable) => {
    expect(linkable(address)).toBe(isLinkable ? address : undefined);
  });

  it('is text in HTML, also within HTML that is put into other HTML', () => {
    const evil = `<script>"&'</script>\n$&`;
    expect(html`<p title="${evil}">${[html`<b>${evil}</b>`]}</p>`.text).toBe(
      '<p title="&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;\n$&amp;"><b>&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;\n$&amp;</b></p>',
    );
    expect(html`${htmlLines('one\n<two>')}`.text).toBe('one<br />&lt;two&gt;');
  });
});

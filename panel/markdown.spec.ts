import { readMarkdown } from './markdown.js';
import type { MessageNode } from './markdown.js';

/** Written down shortly: `p(…)`; a link as `a<address>(…)`. */
function written(nodes: MessageNode[]): string {
  return nodes
    .map((node) => {
      if (typeof node === 'string') return node;
      const { tag, href, start, children } = node;
      const detail = href ?? start;
      return `${tag}${detail === undefined ? '' : `<${detail}>`}(${written(children)})`;
    })
    .join('');
}

function read(message: string): string {
  return written(readMarkdown(message));
}

/** Node's; the panel's own types are a browser's. */
declare const process: {
  cpuUsage(before?: { user: number; system: number }): { user: number; system: number };
};

describe("A message's Markdown", () => {
  it.each([
    ['**90 %** of `4 GiB`', 'p(strong(90 %) of code(4 GiB))'],
    ['_now_ and ~~then~~', 'p(em(now) and del(then))'],
    ['one\n\ntwo', 'p(one)p(two)'],
    ['first\nsecond', 'p(firstbr()second)'],
    ['see [the guide](https://a.example/x "title")', 'p(see a<https://a.example/x>(the guide))'],
    ['https://a.example/x?a=1&b=2', 'p(a<https://a.example/x?a=1&b=2>(https://a.example/x?a=1&b=2))'],
    ['<mailto:help@a.example>', 'p(a<mailto:help@a.example>(mailto:help@a.example))'],
    ['- close kernels\n- restart', 'ul(li(close kernels)li(restart))'],
    ['3. c\n4. d', 'ol<3>(li(c)li(d))'],
    ['- [x] done', 'ul(li(☑ done))'],
    ['> said', 'blockquote(p(said))'],
    ['```sh\ndf -h | grep <x>\n```', 'pre(code(df -h | grep <x>))'],
    ['| a | b |\n|--|--|\n| 1 | *2* |', 'table(tr(th(a)th(b))tr(td(1)td(em(2))))'],
    ['a\n\n---\n\nb', 'p(a)hr()p(b)'],
    ['1 \\* 2 &lt; 3 &amp; 4 &#62; 5 &copy;', 'p(1 * 2 < 3 & 4 > 5 &copy;)'],
    ['', ''],
    ['  \n ', ''],
  ])('%j is read', (message, expected) => {
    expect(read(message)).toBe(expected);
  });

  it('has words for pictures and headings', () => {
    expect(read('![a cat](https://a.example/cat.png)')).toBe('p(a cat)');
    expect(read('# *Big*')).toBe('p(strong(em(Big)))');
  });

  it.each([
    ['volume <no value> is full', 'p(volume <no value> is full)'],
    ['<script>alert(1)</script>', 'p(<script>alert(1)</script>)'],
    ['<div>\n**a**\n</div>', 'p(<div>br()strong(a)br()</div>)'],
    ['<b>a</b> <!-- b -->', 'p(<b>a</b> <!-- b -->)'],
  ])('takes %j for text', (message, expected) => {
    expect(read(message)).toBe(expected);
  });

  it.each([
    ['[a](javascript:alert(1))'],
    ['[a](java&#115;cript:alert(1))'],
    ['[a](&#106;avascript:alert(1))'],
    ['[a](data:text/html,x)'],
    ['[a](/relative)'],
    ['[a](//host)'],
    ['[a][r]\n\n[r]: javascript:alert(1)'],
    ['<javascript:alert(1)>'],
  ])('makes no link of %j', (message) => {
    expect(read(message)).not.toMatch(/a</);
  });

  it('is read however long it is', () => {
    const item = '- **Volume** `data` is full, see [this](https://a.example).\n';
    const nodes = readMarkdown(item.repeat(340));
    expect(item.length * 340).toBeGreaterThan(19_000);
    expect(nodes).toHaveLength(1);
    expect(written(nodes)).not.toMatch(/\*\*|`|\]\(/);
    const rows = `| a | b |\n|---|---|\n${'| **1** | 2 |\n'.repeat(1200)}`;
    expect(written(readMarkdown(rows))).not.toMatch(/[*|]/);
  });

  it('is not read where it is nested too deeply to be meant, but shown', () => {
    expect(readMarkdown('>'.repeat(5000))).toEqual([{ tag: 'p', children: ['>'.repeat(5000)] }]);
  });

  it('is not searched for emphasis where a paragraph has hundreds of marks', () => {
    expect(read(`${'*a* '.repeat(300)}\n\n*b*`)).toBe(`p(${'*a* '.repeat(300)})p(em(b))`);
    expect(read('*a* '.repeat(100))).toBe(`p(${'em(a) '.repeat(100).trimEnd()})`);
  });

  it('costs no more than some two hundred times an ordinary one, whatever it is made of', () => {
    /** The processor's time (µs) that reading the longest message takes, at the least. */
    const costOf = (piece: string): number => {
      const message = piece.repeat(Math.ceil(20_000 / piece.length));
      const costs = [1, 2, 3].map(() => {
        const before = process.cpuUsage();
        readMarkdown(message);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      });
      return Math.min(...costs);
    };
    const ordinary = costOf('Volume **data** of `4 GiB` is full, see [what to do](https://a.example).\n\n');
    const pieces = [
      '_a_',
      '_a*',
      '![',
      '<a ',
      'a@',
      '[a](',
      '**a*',
      '- ',
      '`a',
      '|a',
      '|-|\n',
      '  - a\n',
      '> ',
    ];
    const dear = pieces.filter((piece) => costOf(piece) > 200 * Math.max(ordinary, 5_000));
    expect(dear).toEqual([]);
  });
});

import { withTexts } from './document.js';
import { UsageError } from './usage-error.js';

const DOCUMENT = `# Performance

Written by hand.

<!-- bench: webhooks -->

old webhooks

<!-- bench: end -->

In between.

<!-- bench: wal -->
<!-- bench: end -->

After all.
`;

it('puts each text into its place, and leaves the rest alone', () => {
  const texts = new Map([
    ['wal', 'new wal'],
    ['webhooks', 'new webhooks'],
  ]);
  expect(withTexts(DOCUMENT, 'performance.md', texts)).toBe(`# Performance

Written by hand.

<!-- bench: webhooks -->

new webhooks

<!-- bench: end -->

In between.

<!-- bench: wal -->

new wal

<!-- bench: end -->

After all.
`);
});

it('comes to the same when it is done again', () => {
  const texts = new Map([['webhooks', 'new webhooks']]);
  const once = withTexts(DOCUMENT, 'performance.md', texts);
  expect(withTexts(once, 'performance.md', texts)).toBe(once);
});

it.each([
  ['a place that is not there', 'listing', DOCUMENT],
  ['a place that does not end', 'wal', DOCUMENT.slice(0, DOCUMENT.lastIndexOf('<!-- bench: end'))],
])('says what to write into a document with %s', (_, place, document) => {
  const fill = () => withTexts(document, 'performance.md', new Map([[place, 'new']]));
  expect(fill).toThrow(UsageError);
  expect(fill).toThrow(/performance\.md has no place .* put the lines `<!-- bench: \w+ -->` and/);
});

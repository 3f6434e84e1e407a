import { USER_ID } from './user-id.js';

const LONE_HALF = '\uD83D';

describe("A user's id", () => {
  it.each([
    '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11',
    'u',
    'jane.doe@example.org',
    'f:6f1c:jane',
    'a/b?c#d%00',
    'Jörg',
    'x'.repeat(255),
  ])('may be %s', (id) => {
    expect(id).toMatch(USER_ID);
  });

  it.each([
    ['nothing', ''],
    ["a template's missing value", '<nil>'],
    ["another template's missing value", '<no value>'],
    ['two words', 'jane doe'],
    ['a space at its end', 'jane '],
    ['a line', 'jane\n'],
    ['a NUL', 'jane\0'],
    ['a control character', 'jane\u0007'],
    ['an invisible one', 'jane\u200b'],
    ['text from right to left by force', '\u202ejane'],
    ['half a pair', `jane${LONE_HALF}`],
    ['256 characters', 'x'.repeat(256)],
  ])('cannot be %s', (_what, id) => {
    expect(id).not.toMatch(USER_ID);
  });
});

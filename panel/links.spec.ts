import { safeAddress } from './links.js';

describe('An address that a link may lead to', () => {
  it.each([
    ['https://example.org/runbook#memory'],
    ['http://example.org'],
    ['HTTPS://EXAMPLE.ORG'],
    ['mailto:help@example.org?subject=Memory'],
  ])('is %s', (address) => {
    expect(safeAddress(address)).toBe(address);
  });

  it('is one without blanks around and control characters in it', () => {
    expect(safeAddress(' https://exam\nple.org ')).toBe('https://example.org');
  });

  it.each([
    ['javascript:alert(1)'],
    [' javascript:alert(1)'],
    ['java\nscript:alert(1)'],
    ['\u0001javascript:alert(1)'],
    ['data:text/html,<script>alert(1)</script>'],
    ['vbscript:x'],
    ['blob:https://example.org/1'],
    ['file:///etc/passwd'],
    ['//example.org'],
    ['/logout'],
    ['?x'],
    ['#x'],
    ['runbook'],
    [''],
  ])('is not %p', (address) => {
    expect(safeAddress(address)).toBeUndefined();
  });
});

import { UnprocessableEntityException } from '@nestjs/common';
import { flag, NOT_EMPTY, nullable, oneOf, optional, text, wholeNumber } from './fields.js';
import type { Fields } from './fields.js';
import { KnownFields } from './known-fields.js';

interface Request {
  title: string;
  note?: string | null;
  kind?: 'condition' | 'event';
  limit?: number;
  closed?: boolean;
}
const FIELDS: Fields<Request> = {
  title: text({ pattern: NOT_EMPTY, longest: 3 }),
  note: optional(nullable(text({}))),
  kind: optional(oneOf('condition', 'event')),
  limit: optional(wholeNumber(1, 200)),
  closed: optional(flag()),
};

describe('The known fields of a body', () => {
  const known = new KnownFields('body', FIELDS, 'refused');

  function refusalOf(body: unknown): string {
    try {
      known.read(body);
    } catch (error) {
      return ((error as UnprocessableEntityException).getResponse() as { detail: string }).detail;
    }
    throw new Error('It was taken');
  }

  it('are read, and nothing is made of what is not given', () => {
    expect(known.read({ title: 'abc' })).toEqual({ title: 'abc' });
    const whole = { title: 'abc', note: null, kind: 'event', closed: false } as const;
    expect(known.read({ ...whole, limit: '200' })).toEqual({ ...whole, limit: 200 });
  });

  it('have the length that a reader sees', () => {
    expect(known.read({ title: '🚨🚨🚨' })).toEqual({ title: '🚨🚨🚨' });
  });

  it.each<[string, unknown, string]>([
    ['none that is needed', {}, 'title must be a text'],
    ['null for one that is needed', { title: null }, 'title must be a text'],
    ['an empty text', { title: '' }, 'title must not be empty'],
    ['a long text', { title: 'abcd' }, 'title must be at most 3 characters long'],
    ['a list for a text', { title: ['a'] }, 'title must be a text'],
    ['another than there are', { title: 'a', kind: 'x' }, 'kind must be condition or event'],
    ['null for one of several', { title: 'a', kind: null }, 'kind must be condition or event'],
    ['a number below the least', { title: 'a', limit: '0' }, 'limit must be a whole number from 1 to 200'],
    ['one above the most', { title: 'a', limit: '201' }, 'limit must be a whole number from 1 to 200'],
    ['a part of one', { title: 'a', limit: '1.5' }, 'limit must be a whole number from 1 to 200'],
    ['several numbers', { title: 'a', limit: ['1'] }, 'limit must be a whole number from 1 to 200'],
    ['a text for yes or no', { title: 'a', closed: 'true' }, 'closed must be true or false'],
    ['two that are wrong', { title: 7, closed: 1 }, 'title must be a text; closed must be true or false'],
    ['one that is not known', { title: 'a', x: 1 }, '"x" is no field of this call, which takes title, note,'],
    ['what every object has', { title: 'a', constructor: 1 }, '"constructor" is no field'],
    ['a list', [], 'the body must be a JSON object'],
    ['null', null, 'the body must be a JSON object'],
  ])('are refused with %s', (_what, body, detail) => {
    expect(refusalOf(body)).toContain(detail);
  });

  it('may have others beside them where those are ignored', () => {
    const tolerant = new KnownFields('query', FIELDS, 'ignored');
    expect(tolerant.read({ title: 'a', x: 1 })).toEqual({ title: 'a' });
  });
});

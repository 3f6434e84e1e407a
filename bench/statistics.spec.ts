import { boundsOfMedian, mean, median, percentile } from './statistics.js';

it('the median is the value in the middle, or half way between the two there', () => {
  expect(median([30, 10, 20])).toBe(20);
  expect(median([40, 10, 20, 30])).toBe(25);
  expect(median([7])).toBe(7);
});

it('compares numbers as numbers', () => {
  expect(median([9, 100, 10])).toBe(10);
});

it('leaves the values in their order', () => {
  const values = [3, 1, 2];
  median(values);
  percentile(values, 0.5);
  expect(values).toEqual([3, 1, 2]);
});

it('a percentile is a value that occurs', () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(percentile(values, 0.99)).toBe(100);
  expect(percentile(values, 0.5)).toBe(51);
  expect(percentile(values, 1)).toBe(100);
});

it('says where a median lies as the order of the values tells', () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => count - index);
  expect(boundsOfMedian(upTo(5))).toBeUndefined();
  // Both are the tables' of the sign test.
  expect(boundsOfMedian(upTo(6))).toEqual([1, 6]);
  expect(boundsOfMedian(upTo(8))).toEqual([1, 8]);
  expect(boundsOfMedian(upTo(9))).toEqual([2, 8]);
  expect(boundsOfMedian(upTo(20))).toEqual([6, 15]);
});

it('of no values there is neither', () => {
  expect([median([]), mean([]), percentile([], 0.5)]).toEqual([NaN, NaN, NaN]);
});

import { svgOf } from './bar-chart.js';
import type { BarChart } from './bar-chart.js';

function chart(overrides: Partial<BarChart> = {}): BarChart {
  return {
    title: 'Webhooks of one alert',
    unit: 'alerts a second',
    series: [
      { name: 'this version', colour: 'blue' },
      { name: 'floor', colour: 'green' },
    ],
    panels: [
      { title: 'new', groups: [{ label: '1 connection', values: [1000, 2000] }] },
      { title: 'resolved', groups: [{ label: '1 connection', values: [500, undefined] }] },
    ],
    ...overrides,
  };
}

function barsOf(svg: string): { colour: string; width: number }[] {
  return [...svg.matchAll(/<rect class="(blue|green)" .*?width="([\d.]+)" height="11"/g)].map(
    ([, colour = '', width]) => ({ colour, width: Number(width) }),
  );
}

it('bars are as long as their values, on the same scale in all panels', () => {
  const [ours, floor, resolved] = barsOf(svgOf(chart()));
  expect([ours?.colour, floor?.colour]).toEqual(['blue', 'green']);
  expect(floor!.width / ours!.width).toBeCloseTo(2, 1);
  expect(ours!.width / resolved!.width).toBeCloseTo(2, 1);
});

it('where there is no value there is no bar', () => {
  expect(barsOf(svgOf(chart()))).toHaveLength(3);
});

it('has a title, and says its numbers to those who do not see it', () => {
  const svg = svgOf(chart());
  expect(svg).toContain('<title id="title">Webhooks of one alert: alerts a second</title>');
  expect(svg).toMatch(/role="img" aria-labelledby="title description"/);
  const description = /<desc id="description">(.*)<\/desc>/.exec(svg)?.[1];
  expect(description).toContain('new, 1 connection: this version 1,000, floor 2,000.');
  expect(description).toContain('resolved, 1 connection: this version 500.');
});

it('can be read in a light and in a dark scheme, on a background of its own', () => {
  const svg = svgOf(chart());
  const [light, dark] = svg.split('@media(prefers-color-scheme:dark)');
  const backgrounds = [light, dark].map((style) => /\.background\{fill:(#\w+)\}/.exec(style ?? '')?.[1]);
  expect(backgrounds).toEqual(['#ffffff', '#0d1117']);
  expect(svg).toContain('<rect class="background"');
});

it('is well-formed whatever is written in it', () => {
  const svg = svgOf(chart({ title: 'A <b> & "c"', series: [{ name: '<&>', colour: 'blue' }] }));
  expect(svg).toContain('A &lt;b&gt; &amp; "c"');
  expect(svg).not.toMatch(/<b>|<&/);
});

it('is the same text for the same numbers', () => {
  expect(svgOf(chart())).toBe(svgOf(structuredClone(chart())));
});

it('is drawn where all is zero', () => {
  const svg = svgOf(chart({ panels: [{ title: 'new', groups: [{ label: 'all', values: [0, 0] }] }] }));
  expect(svg).not.toContain('NaN');
  expect(barsOf(svg).map(({ width }) => width)).toEqual([0, 0]);
});

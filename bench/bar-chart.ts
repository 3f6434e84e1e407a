/** Bars in groups, on panels that share a scale. */
export interface BarChart {
  title: string;
  /** What the numbers are, such as "alerts a second". */
  unit: string;
  /** In the order of each group's bars. */
  series: Series[];
  panels: Panel[];
}

export interface Series {
  name: string;
  colour: Colour;
}

export interface Panel {
  title: string;
  groups: BarGroup[];
}

export interface BarGroup {
  label: string;
  /** One for each series; no bar where there is none. */
  values: (number | undefined)[];
}

const COLOURS = ['blue', 'orange', 'grey', 'green'] as const;
export type Colour = (typeof COLOURS)[number];

/** Colours that stand out from their background, which is white or nearly black. */
const LIGHT = {
  background: '#ffffff',
  text: '#1f2328',
  faint: '#59636e',
  bars: ['#0969da', '#bc4c00', '#6e7781', '#1a7f37'],
};
const DARK = {
  background: '#0d1117',
  text: '#f0f6fc',
  faint: '#9198a1',
  bars: ['#4493f8', '#f0883e', '#8b949e', '#3fb950'],
};

/** Pixels. */
const WIDTH = 780;
const MARGIN = 20;
const COLUMNS = 2;
const GUTTER = 30;
const PANEL = (WIDTH - 2 * MARGIN - GUTTER * (COLUMNS - 1)) / COLUMNS;
/** What is left of a panel's bars, and right of the longest one. */
const LABEL = 110;
const VALUE = 60;
const BAR = 13;
const GROUP_GAP = 9;
const HEAD = 66;
const PANEL_HEAD = 26;
const PANEL_GAP = 16;

/**
 * The chart as an SVG document that needs nothing else: it follows the reader's light or dark scheme with a background
 * of its own, has a title, and says all its numbers in its description. The same chart is always the same text.
 */
export function svgOf(chart: BarChart): string {
  const { title, unit, series, panels } = chart;
  const rows = Array.from({ length: Math.ceil(panels.length / COLUMNS) }, (_, row) =>
    Math.max(
      ...panels.slice(row * COLUMNS, (row + 1) * COLUMNS).map((panel) => heightOf(panel, series.length)),
    ),
  );
  const topOf = (row: number): number =>
    rows.slice(0, row).reduce((top, height) => top + height + PANEL_GAP, HEAD);
  const height = topOf(rows.length) - PANEL_GAP + MARGIN;
  const most = Math.max(
    1,
    ...panels.flatMap(({ groups }) => groups.flatMap(({ values }) => values.map((one) => one ?? 0))),
  );
  const scale = (PANEL - LABEL - VALUE) / most;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(`${title}: ${unit}`)}</title>`,
    `<desc id="description">${escaped(inWords(chart))}</desc>`,
    `<style>${styleOf(LIGHT)}@media(prefers-color-scheme:dark){${styleOf(DARK)}}text{font:12px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.panel{font-weight:600}.end{text-anchor:end}</style>`,
    `<rect class="background" width="${WIDTH}" height="${height}"/>`,
    text(MARGIN, 26, title, 'title'),
    ...legendOf(chart),
    ...panels.flatMap((panel, index) =>
      panelOf(
        panel,
        series,
        MARGIN + (index % COLUMNS) * (PANEL + GUTTER),
        topOf(Math.floor(index / COLUMNS)),
        scale,
      ),
    ),
    '</svg>',
    '',
  ].join('\n');
}

function heightOf({ groups }: Panel, bars: number): number {
  return PANEL_HEAD + groups.length * (bars * BAR + GROUP_GAP);
}

function legendOf({ series, unit }: BarChart): string[] {
  const names = series.map(({ name, colour }, index) => {
    // As wide as the names before are, roughly.
    const left = series.slice(0, index).reduce((sum, one) => sum + 34 + one.name.length * 7, MARGIN);
    return `<rect class="${colour}" x="${left}" y="38" width="10" height="10"/>${text(left + 15, 47, name)}`;
  });
  return [...names, text(WIDTH - MARGIN, 47, unit, 'faint end')];
}

function panelOf(
  { title, groups }: Panel,
  series: Series[],
  left: number,
  top: number,
  scale: number,
): string[] {
  return [
    text(left, top + 14, title, 'panel'),
    ...groups.flatMap(({ label, values }, index) => {
      const first = top + PANEL_HEAD + index * (series.length * BAR + GROUP_GAP);
      const bars = series.flatMap(({ colour }, bar) => {
        const value = values[bar];
        return value === undefined ? [] : barOf(value, colour, left + LABEL, first + bar * BAR, scale);
      });
      return [text(left + LABEL - 8, first + (series.length * BAR) / 2 + 3, label, 'faint end'), ...bars];
    }),
  ];
}

function barOf(value: number, colour: Colour, x: number, y: number, scale: number): string[] {
  const width = rounded(value * scale);
  return [
    `<rect class="${colour}" x="${x}" y="${y}" width="${width}" height="${BAR - 2}"/>`,
    text(rounded(x + width + 5), y + BAR - 3, whole(value)),
  ];
}

/** What somebody who does not see it is told. */
function inWords({ series, panels, unit }: BarChart): string {
  const sentences = panels.flatMap((panel) =>
    panel.groups.map(({ label, values }) => {
      const told = series.flatMap(({ name }, index) => {
        const value = values[index];
        return value === undefined ? [] : [`${name} ${whole(value)}`];
      });
      return `${panel.title}, ${label}: ${told.join(', ')}.`;
    }),
  );
  return `Bars, in ${unit}. ${sentences.join(' ')}`;
}

function styleOf({ background, text, faint, bars }: typeof LIGHT): string {
  const fills = COLOURS.map((colour, index) => `.${colour}{fill:${bars[index] ?? text}}`);
  return `.background{fill:${background}}text{fill:${text}}.faint{fill:${faint}}${fills.join('')}`;
}

function text(x: number, y: number, content: string, className?: string): string {
  const attribute = className === undefined ? '' : ` class="${className}"`;
  return `<text x="${x}" y="${y}"${attribute}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function rounded(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { Session } from './demo-config.js';

/** How a session is, as far as its window shows. */
export interface Wellbeing {
  /** Shares of the limit. */
  memory: number;
  disk: number;
  kernel: 'Idle' | 'Restarted';
}

interface Notebook {
  files: string[];
  text: string;
  cells: TemplateResult[];
  chart: string;
  curve: string;
}

const NOTEBOOKS: readonly Notebook[] = [
  {
    files: ['data', 'figures', 'arrivals.ipynb', 'clean.py', 'README.md'],
    text: 'Delays by hour of arrival, all flights of one year.',
    cells: [
      html`flights = <b>read_parquet</b>(<i>"data/flights.parquet"</i>)`,
      html`late = flights.<b>groupby</b>(<i>"hour"</i>)[<i>"delay"</i>].<b>mean</b>()<br />late.<b>plot</b>()`,
    ],
    chart: 'A curve that rises in the evening',
    curve: 'M0 96C30 92 50 100 80 94S130 76 160 80s50-8 80-24 50-30 80-26 50 30 80 40',
  },
  {
    files: ['models', 'structures', 'folding.ipynb', 'train.py', 'README.md'],
    text: 'How far the fold is from the measured structure, by epoch.',
    cells: [
      html`run = <b>load_run</b>(<i>"models/fold-12"</i>, best=<b>True</b>)`,
      html`run.loss.<b>rolling</b>(20).<b>mean</b>().<b>plot</b>()<br />run.<b>report</b>(<i>"rmsd"</i>)`,
    ],
    chart: 'A curve that falls, ever more slowly',
    curve: 'M0 20C20 40 40 66 70 74s40 2 70 10 50 4 80 10 60 0 90 5 60 1 90 3',
  },
  {
    files: ['crops', 'labels.csv', 'label.ipynb', 'classes.py', 'README.md'],
    text: 'How sure two people are of the same picture.',
    cells: [
      html`labels = <b>read_csv</b>(<i>"labels.csv"</i>)`,
      html`agreed = labels.<b>groupby</b>(<i>"picture"</i>).<b>nunique</b>() == 1<br />agreed.<b>mean</b>()`,
    ],
    chart: 'A curve that goes up and down',
    curve: 'M0 60C30 20 50 20 80 60S130 100 160 60s50-40 80 0 50 40 80 0 50-40 80-6',
  },
];

/** A session: a window that resembles a notebook's, with the panel in its bar. */
export function sessionView(
  { name, person }: Session,
  index: number,
  { memory, disk, kernel }: Wellbeing,
  panel: TemplateResult,
  says: string,
  stop: () => void,
): TemplateResult {
  const notebook = NOTEBOOKS[index % NOTEBOOKS.length];
  return html`<section
    id="session-${name}"
    class="session"
    tabindex="-1"
    aria-label="${person.name}’s session ${name}"
  >
    <div class="bar">
      <span class="avatar" aria-hidden="true">${person.name[0]}</span>
      <h2>${person.name}<span class="name">${name}</span></h2>
      <button type="button" class="stop" aria-label="Stop ${name}" @click=${stop}>Stop</button>
      ${panel}
    </div>
    ${notebook ? desk(notebook, name) : nothing}
    <div class="status">
      <span class="says">Panel: ${says}</span>
      <span>${kernel}</span>
      ${meter('Memory', memory)} ${meter('Disk', disk)}
    </div>
  </section>`;
}

function desk({ files, text, cells, chart, curve }: Notebook, session: string): TemplateResult {
  return html`<div class="desk">
    <ul class="files" role="list" aria-label="Files">
      ${files.map((file) => html`<li class=${file.endsWith('.ipynb') ? 'current' : nothing}>${file}</li>`)}
    </ul>
    <div class="notebook">
      <p class="text">${text}</p>
      ${cells.map((code, at) => cell(at + 1, code))}
      <svg class="chart" viewBox="0 0 400 120" role="img" aria-label=${chart}>
        <path class="grid" d="M0 30H400M0 60H400M0 90H400" />
        <path class="area" d="${curve}V120H0Z" />
        <path class="line" d=${curve} />
      </svg>
      <div class="cell">
        <span class="count" aria-hidden="true">[ ]</span>
        <textarea rows="2" dir="auto" aria-label="New cell of ${session}" placeholder="Type here"></textarea>
      </div>
    </div>
  </div>`;
}

function cell(count: number, code: TemplateResult): TemplateResult {
  return html`<div class="cell">
    <span class="count">[${count}]</span>
    <code dir="ltr">${code}</code>
  </div>`;
}

function meter(name: string, share: number): TemplateResult {
  return html`<span class="meter ${share > 0.9 ? 'full' : ''}">
    ${name}<span class="track" aria-hidden="true"><span style="width: ${share * 100}%"></span></span>
    ${Math.round(share * 100)} %
  </span>`;
}

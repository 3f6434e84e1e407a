import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionAlertsEventMap } from '../../panel/panel.types.js';
import { SessionAlerts } from '../../panel/session-alerts.element.js';
import { panelBlocks, panelDocument } from '../support/panel-document.js';

type Kind = 'attributes' | 'members' | 'events' | 'cssParts' | 'cssProperties';

/** Of the browser's own, which the element heeds all the same. */
const BROWSERS_OWN = ['lang'];
/** What a style sheet reads, and no script. */
const STYLED = ['theme'];

// The compiler sees to these.
const EVENTS: Record<keyof SessionAlertsEventMap, true> = {
  'session-alerts-change': true,
  'session-alerts-dismiss': true,
  'session-alerts-problem': true,
};

const PANEL = join(import.meta.dirname, '..', '..', 'panel');

describe('custom-elements.json', () => {
  const manifest = JSON.parse(readFileSync(join(PANEL, 'custom-elements.json'), 'utf8')) as {
    modules: { declarations: Record<Kind, { name: string; attribute?: string; fieldName?: string }[]>[] }[];
  };
  const element = manifest.modules.flatMap(({ declarations }) => declarations)[0]!;
  const namesOf = (kind: Kind) => element[kind].map(({ name }) => name).sort();

  const sources = readdirSync(PANEL)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => readFileSync(join(PANEL, file), 'utf8'))
    .join('\n');

  it('has the attributes and properties of the class', () => {
    // Asking for these makes the class take note of its properties.
    const { observedAttributes } = SessionAlerts;
    const properties = [...SessionAlerts.elementProperties].filter(([, { state }]) => !state);
    expect(namesOf('members')).toEqual(properties.map(([name]) => String(name)).sort());
    expect(namesOf('attributes')).toEqual([...observedAttributes, ...BROWSERS_OWN, ...STYLED].sort());
    for (const { name, attribute } of element.members) {
      const { attribute: declared } = SessionAlerts.elementProperties.get(name)!;
      expect([name, attribute]).toEqual([
        name,
        typeof declared === 'string' ? declared : declared === false ? undefined : name,
      ]);
    }
    for (const { name, fieldName } of element.attributes) {
      expect([name, fieldName]).toEqual([
        name,
        element.members.find(({ attribute }) => attribute === name)?.name,
      ]);
    }
  });

  it('has the events, parts and custom properties of the sources', () => {
    expect(namesOf('events')).toEqual(Object.keys(EVENTS).sort());
    const parts = Array.from(
      sources.matchAll(/\bpart="([^"]*)"|\blinkTemplate\('(\w+)'/g),
      ([, names, link = '']) => (names ?? link).split(' '),
    );
    const severities = ['critical', 'error', 'warning', 'minor', 'info', 'other'];
    const named = parts
      .flat()
      .flatMap((part) =>
        part === 'alert-${severity}' ? severities.map((severity) => `alert-${severity}`) : part,
      );
    expect(namesOf('cssParts')).toEqual([...new Set(named)].sort());
    const properties = sources.match(/--session-alerts-[a-z-]+/g) ?? [];
    expect(namesOf('cssProperties')).toEqual([...new Set(properties)].sort());
  });

  describe('and docs/panel.md', () => {
    const sections = new Map(
      panelDocument()
        .split(/^#+ /m)
        .map((part): [string, string] => [part.slice(0, part.indexOf('\n')), part]),
    );
    /** Names in a column of a section's table. */
    const column = (section: string, index: number) =>
      (sections.get(section) ?? '')
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((line) => codeIn(line.split(/(?<!\\)\|/)[index + 1] ?? ''));
    const codeIn = (text: string) => Array.from(text.matchAll(/`([^`]+)`/g), ([, name = '']) => name);

    it('tell of the same', () => {
      expect(column('Attributes and properties', 0).flat().sort()).toEqual(namesOf('attributes'));
      expect(column('Attributes and properties', 1).flat().sort()).toEqual(namesOf('members'));
      expect(column('Events', 0).flat().sort()).toEqual(namesOf('events'));
      // In a row the first is named in full, of the others what is different.
      const properties = column('Looks', 0)
        .flat()
        .map((name) => (name.startsWith('--') ? name : `--session-alerts${name}`));
      expect(properties.sort()).toEqual(namesOf('cssProperties'));
      const [parts = ''] = /^Parts: [^]*?\n\n/m.exec(sections.get('Looks') ?? '') ?? [];
      expect(codeIn(parts).sort()).toEqual(namesOf('cssParts'));
    });

    it('use only what there is in markup and style sheets', () => {
      const code = (language: string) =>
        panelBlocks()
          .filter((block) => block.language === language)
          .map((block) => block.code)
          .join('\n');
      const tags = Array.from(
        code('html').matchAll(/<session-alerts\s([^>]*)>/g),
        ([, inside = '']) => inside,
      );
      const attributes = Array.from(tags.join(' ').matchAll(/([\w-]+)=/g), ([, name]) => name);
      const properties = code('css').match(/--session-alerts-[\w-]+/g) ?? [];
      const parts = Array.from(code('css').matchAll(/::part\(([\w-]+)\)/g), ([, name]) => name);
      expect(Math.min(attributes.length, properties.length, parts.length)).toBeGreaterThan(0);
      expect(namesOf('attributes')).toEqual(expect.arrayContaining(attributes));
      expect(namesOf('cssProperties')).toEqual(expect.arrayContaining(properties));
      expect(namesOf('cssParts')).toEqual(expect.arrayContaining(parts));
    });
  });
});

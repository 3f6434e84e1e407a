import { parseDuration } from '../options/prometheus-duration.js';
import { isRecord, recordOf, recordsIn, textOf, textsIn } from '../http/untyped.js';

export type Labels = Record<string, string>;

/** The node of Alertmanager's routing tree that an alert ends at, with what it inherits. */
export interface Route {
  receiver: string;
  /** `...` means that every alert is a group of its own. */
  groupBy: string[];
  /** Seconds. */
  groupWait: number;
  groupInterval: number;
  repeatInterval: number;
  /** Names of the time intervals in which it sends nothing, and of those outside of which it sends nothing. */
  mutedIn: string[];
  activeIn: string[];
  /** Its own matchers, as they stand there; none for the root. */
  matchers: string[];
}

/** A matcher that cannot be evaluated here. */
export class MatcherError extends Error {}

const DEFAULTS: Omit<Route, 'receiver'> = {
  groupBy: [],
  groupWait: 30,
  groupInterval: 300,
  repeatInterval: 4 * 3600,
  mutedIn: [],
  activeIn: [],
  matchers: [],
};

/**
 * Where Alertmanager sends an alert: depth first, from left to right, and on to the next sibling only after
 * `continue: true`; a node takes what none of its children takes.
 * @param root `route` of its configuration
 * @throws MatcherError
 * @see https://prometheus.io/docs/alerting/latest/configuration/#route
 */
export function routesOf(root: unknown, labels: Labels): Route[] {
  return walk(recordOf(root), { receiver: '', ...DEFAULTS }, labels);
}

function walk(node: Record<string, unknown>, parent: Route, labels: Labels): Route[] {
  const matchers = matchersOf(node);
  if (!matchers.every((matcher) => matches(matcher, labels))) return [];
  const route = inherit(node, parent);
  const taken: Route[] = [];
  for (const child of recordsIn(node['routes'])) {
    const routes = walk(child, route, labels);
    taken.push(...routes);
    if (routes.length > 0 && child['continue'] !== true) break;
  }
  return taken.length > 0 ? taken : [route];
}

function inherit(node: Record<string, unknown>, parent: Route): Route {
  const groupBy = textsIn(node['group_by']);
  return {
    receiver: textOf(node['receiver']) || parent.receiver,
    groupBy: groupBy.length > 0 ? groupBy : parent.groupBy,
    groupWait: secondsOf(node['group_wait']) ?? parent.groupWait,
    groupInterval: secondsOf(node['group_interval']) ?? parent.groupInterval,
    repeatInterval: secondsOf(node['repeat_interval']) ?? parent.repeatInterval,
    // These two are not inherited.
    mutedIn: textsIn(node['mute_time_intervals']),
    activeIn: textsIn(node['active_time_intervals']),
    matchers: [
      ...equalities(node['match'], '='),
      ...equalities(node['match_re'], '=~'),
      ...textsIn(node['matchers']),
    ],
  };
}

function secondsOf(value: unknown): number | undefined {
  return value === '0s' || value === 0 ? 0 : parseDuration(textOf(value));
}

function equalities(value: unknown, operator: string): string[] {
  return Object.entries(recordOf(value)).map(([name, text]) => `${name}${operator}${JSON.stringify(text)}`);
}

interface Matcher {
  name: string;
  operator: '=' | '!=' | '=~' | '!~';
  value: string;
}

function matchersOf(node: Record<string, unknown>): Matcher[] {
  const legacy = (key: string, operator: '=' | '=~'): Matcher[] =>
    Object.entries(isRecord(node[key]) ? node[key] : {}).map(([name, value]) => ({
      name,
      operator,
      value: String(value),
    }));
  return [
    ...legacy('match', '='),
    ...legacy('match_re', '=~'),
    ...textsIn(node['matchers']).flatMap(parseMatchers),
  ];
}

/** One matcher, with what separates it from the next: name, operator and value, each in quotes or not. */
const MATCHER =
  /\s*(?:"((?:[^"\\]|\\.)*)"|([\w:.-]+))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^",]*))\s*(?:,|$)/sy;

/**
 * Reads what stands in one entry of `matchers`: `purpose="renku-session"`, or several as in `{a="b", c=~"d.*"}`.
 * @throws MatcherError
 */
export function parseMatchers(text: string): Matcher[] {
  const inside = text.trim().replace(/^\{/, '').replace(/\}$/, '').trim();
  const matchers: Matcher[] = [];
  MATCHER.lastIndex = 0;
  while (MATCHER.lastIndex < inside.length) {
    const found = MATCHER.exec(inside);
    if (!found) throw new MatcherError(`the matcher ${text} cannot be read`);
    const [, quotedName, name, operator, quotedValue, value] = found;
    matchers.push({
      name: quotedName === undefined ? (name ?? '') : unescaped(quotedName),
      operator: operator as Matcher['operator'],
      value: quotedValue === undefined ? unescaped((value ?? '').trim()) : unescaped(quotedValue),
    });
  }
  return matchers;
}

function unescaped(text: string): string {
  return text.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

/** A label that is absent is an empty one. */
function matches({ name, operator, value }: Matcher, labels: Labels): boolean {
  const label = Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
  switch (operator) {
    case '=':
      return label === value;
    case '!=':
      return label !== value;
    case '=~':
      return expression(value).test(label);
    case '!~':
      return !expression(value).test(label);
  }
}

/**
 * A regular expression of Alertmanager's, which matches the whole of a label or name. Go's syntax has flags at the
 * beginning where ours has them at the end.
 * @throws MatcherError
 */
export function expression(pattern: string): RegExp {
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(pattern) ?? [];
  try {
    return new RegExp(`^(?:${rest})$`, flags);
  } catch (cause) {
    throw new MatcherError(`the regular expression ${pattern} cannot be evaluated here`, { cause });
  }
}

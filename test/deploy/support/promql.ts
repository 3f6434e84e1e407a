/** Words of PromQL that are no metrics where they stand by themselves. */
const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'le', 'inf', 'nan']);

/** The metrics that an expression reads: what is left of it without texts, matchers, ranges, labels and functions. */
export function metricsIn(expression: string): string[] {
  const names = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
    .replace(/\boffset\s+\w+/g, '')
    .match(/(?<![\w.$])[a-zA-Z_:][\w:]*(?!\w|\s*\()/g);
  return [...new Set(names ?? [])].filter((name) => !WORDS.has(name.toLowerCase()));
}

/** The metrics that an exporter's text offers, as series are called: a histogram is three. */
export function exposedMetrics(text: string): Set<string> {
  const exposed = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    exposed.add(name);
    if (type === 'histogram') exposed.add(`${name}_bucket`);
    if (type === 'histogram' || type === 'summary') exposed.add(`${name}_sum`).add(`${name}_count`);
  }
  return exposed;
}

import { parse } from 'yaml';
import { expression, MatcherError, parseMatchers, routesOf } from './alertmanager-routing.js';

const SESSION = {
  alertname: 'RenkuSessionHighMemory',
  purpose: 'renku-session',
  severity: 'warning',
  statefulset: 'jane-1',
};

function receiversOf(route: string): string[] {
  return routesOf(parse(route), SESSION).map(({ receiver }) => receiver);
}

describe('An alert goes to', () => {
  it.each<[string, string, string[]]>([
    ['the root, where there is nothing else', 'receiver: default', ['default']],
    [
      'the route whose matcher fits',
      `
      receiver: default
      routes:
        - { matchers: ['purpose="renku-session"'], receiver: ours }`,
      ['ours'],
    ],
    [
      'the root, where no route fits',
      `
      receiver: default
      routes:
        - { matchers: ['purpose="other"'], receiver: ours }`,
      ['default'],
    ],
    [
      'the first route that fits, and no other',
      `
      receiver: default
      routes:
        - { matchers: ['severity=~"warning|critical"'], receiver: pager }
        - { matchers: ['purpose="renku-session"'], receiver: ours }`,
      ['pager'],
    ],
    [
      'the next one too, after continue',
      `
      receiver: default
      routes:
        - { matchers: ['severity=~"warning|critical"'], receiver: pager, continue: true }
        - { matchers: ['purpose="renku-session"'], receiver: ours }
        - { receiver: never }`,
      ['pager', 'ours'],
    ],
    [
      'the route where all matchers fit',
      `
      receiver: default
      routes:
        - { matchers: ['purpose="renku-session"', 'severity="critical"'], receiver: pager }
        - { matchers: ['{purpose="renku-session", severity!="critical"}'], receiver: ours }`,
      ['ours'],
    ],
    [
      'a child, with the receiver that it inherits',
      `
      receiver: default
      routes:
        - receiver: ours
          matchers: ['purpose="renku-session"']
          routes:
            - { matchers: ['severity="warning"'] }`,
      ['ours'],
    ],
    [
      'the parent, where no child fits, and not to its siblings',
      `
      receiver: default
      routes:
        - receiver: ours
          matchers: ['purpose="renku-session"']
          routes:
            - { matchers: ['severity="critical"'], receiver: pager }
        - { receiver: never }`,
      ['ours'],
    ],
    [
      'where the older match and match_re say',
      `
      receiver: default
      routes:
        - { match: { purpose: other }, receiver: never }
        - { match: { purpose: renku-session }, match_re: { severity: 'warn.*' }, receiver: ours }`,
      ['ours'],
    ],
    [
      'where a whole label matches an expression, not a part of it',
      `
      receiver: default
      routes:
        - { matchers: ['purpose=~"renku"'], receiver: never }
        - { matchers: ['alertname=~"(?i)renkusession.+"'], receiver: ours }`,
      ['ours'],
    ],
    [
      'where an absent label is asked to be empty or different',
      `
      receiver: default
      routes:
        - { matchers: ['team=~".+"'], receiver: never }
        - { matchers: ['team=""', 'team!="x"', 'team!~"x.*"'], receiver: ours }`,
      ['ours'],
    ],
    [
      "nobody by the name of an object's own properties",
      `
      receiver: default
      routes:
        - { matchers: ['constructor=~".+"'], receiver: never }`,
      ['default'],
    ],
  ])('%s', (_, route, receivers) => {
    expect(receiversOf(route)).toEqual(receivers);
  });
});

describe('A route', () => {
  it("has Alertmanager's defaults", () => {
    expect(routesOf({ receiver: 'default' }, SESSION)).toEqual([
      expect.objectContaining({
        groupBy: [],
        groupWait: 30,
        groupInterval: 5 * 60,
        repeatInterval: 4 * 3600,
        mutedIn: [],
        activeIn: [],
      }),
    ]);
  });

  it('inherits what it does not set, but not when it is muted', () => {
    const tree = parse(`
      receiver: default
      group_by: ['...']
      group_wait: 0s
      group_interval: 1m30s
      repeat_interval: 1d
      mute_time_intervals: [nights]
      routes:
        - matchers: ['purpose="renku-session"']
          routes:
            - { matchers: ['severity="warning"'], repeat_interval: 1h, active_time_intervals: [days] }`) as unknown;

    expect(routesOf(tree, SESSION)).toEqual([
      {
        receiver: 'default',
        groupBy: ['...'],
        groupWait: 0,
        groupInterval: 90,
        repeatInterval: 3600,
        mutedIn: [],
        activeIn: ['days'],
        matchers: ['severity="warning"'],
      },
    ]);
  });

  it('groups by its own labels where its parent groups by all', () => {
    const tree = {
      receiver: 'default',
      group_by: ['...'],
      routes: [{ matchers: ['purpose="renku-session"'], group_by: ['alertname'] }],
    };

    expect(routesOf(tree, SESSION)[0]?.groupBy).toEqual(['alertname']);
  });
});

describe('A matcher', () => {
  it.each([
    ['purpose="renku-session"', [['purpose', '=', 'renku-session']]],
    [' purpose = renku-session ', [['purpose', '=', 'renku-session']]],
    [
      '{a="b, c",d!~"e|f",}',
      [
        ['a', '=', 'b, c'],
        ['d', '!~', 'e|f'],
      ],
    ],
    [String.raw`said="\"no\"\n\\"`, [['said', '=', '"no"\n\\']]],
    ['"with space"=~"x"', [['with space', '=~', 'x']]],
    ['a=""', [['a', '=', '']]],
  ])('%s is read', (text, expected) => {
    expect(parseMatchers(text).map(({ name, operator, value }) => [name, operator, value])).toEqual(expected);
  });

  it.each(['purpose', '="x"', 'a="b" c="d"', 'a="b'])('%s is none', (text) => {
    expect(() => parseMatchers(text)).toThrow(MatcherError);
  });

  it('says so where its expression is none of ours', () => {
    const tree = { receiver: 'default', routes: [{ matchers: [String.raw`a=~"\\pL[[:alpha:"`] }] };

    expect(() => routesOf(tree, SESSION)).toThrow(MatcherError);
  });
});

describe('A route', () => {
  it('tells its matchers as they are written today, and its time intervals, which are not inherited', () => {
    const [route, ...others] = routesOf(
      parse(`
        receiver: default
        mute_time_intervals: [never]
        group_wait: 0s
        routes:
          - match: { purpose: 'renku-session' }
            match_re: { severity: 'warn(ing)?' }
            matchers: ['alertname!="x"']
            group_interval: 0
            mute_time_intervals: [nights]
            active_time_intervals: [days]`),
      SESSION,
    );
    expect(others).toEqual([]);
    expect(route).toMatchObject({
      receiver: 'default',
      groupWait: 0,
      groupInterval: 0,
      mutedIn: ['nights'],
      activeIn: ['days'],
      matchers: ['purpose="renku-session"', 'severity=~"warn(ing)?"', 'alertname!="x"'],
    });
  });

  it('is not taken where a matcher says that a label is not what it is', () => {
    const route = `{ receiver: default, routes: [{ receiver: ours, matchers: ['purpose!="renku-session"'] }] }`;
    expect(receiversOf(route)).toEqual(['default']);
  });

  it('is not taken where an expression of the old form does not fit', () => {
    const route = `{ receiver: default, routes: [{ receiver: ours, match_re: { severity: 'warn|info' } }] }`;
    expect(receiversOf(route)).toEqual(['default']);
    expect(receiversOf(route.replace('warn|', 'warn.*|'))).toEqual(['ours']);
  });
});

describe('Matchers', () => {
  it.each([' { a = b c , d="}{" } ', '{a=b c,d="}{"}', 'a=b c, d="}{"'])('may be written as %s', (text) => {
    expect(parseMatchers(text)).toEqual([
      { name: 'a', operator: '=', value: 'b c' },
      { name: 'd', operator: '=', value: '}{' },
    ]);
  });

  it('that cannot be read, or not be evaluated here, are told', () => {
    expect(() => parseMatchers('a')).toThrow(new MatcherError('the matcher a cannot be read'));
    expect(() => expression('(?i)(')).toThrow('the regular expression (?i)( cannot be evaluated here');
  });

  it('may have several flags, and several lines', () => {
    expect(expression('(?is)a.b').flags).toBe('is');
    expect(expression('(?is)a.b').test('A\nB')).toBe(true);
    expect(expression('a\n(b)?').test('a\nb')).toBe(true);
    expect(expression('x(?:i)').test('x')).toBe(false);
  });
});

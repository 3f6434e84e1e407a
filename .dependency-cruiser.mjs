/**
 * The house, from the roof down: the rooms of each floor. A room may import from itself and from every floor below its
 * own; not from its neighbours on the same floor, and not types either. What CONTRIBUTING.md shows is this.
 */
export const FLOORS = [
  ['index.ts', 'operations.ts'],
  ['alerts.module.ts'],
  ['health', 'migrations', 'upkeep'],
  ['delivery', 'live', 'webhooks'],
  ['feed'],
  ['alerts'],
  ['auth', 'database'],
  ['clock', 'metrics'],
  ['http'],
  ['options'],
];

const inRooms = (rooms) => `^src/(${rooms.map((room) => room.replace('.', '\\.')).join('|')})(/|$)`;

/** What a floor's rooms must not import: the rooms above, and each other. */
function rulesOf(rooms, index) {
  const notBelow = FLOORS.slice(0, index + 1).flat();
  return rooms.map((room) => ({
    name: `${room.replace(/\.ts$/, '')}-looks-down`,
    comment: `src/${room} may import only from floors below its own`,
    severity: 'error',
    from: { path: inRooms([room]), pathNot: '\\.spec\\.ts$' },
    to: { path: inRooms(notBelow.filter((other) => other !== room)) },
  }));
}

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...FLOORS.flatMap(rulesOf),
    {
      name: 'every-room-has-a-floor',
      comment: 'A new room of src is named in FLOORS',
      severity: 'error',
      from: { path: '^src/', pathNot: inRooms(FLOORS.flat()) },
      to: {},
    },
    {
      name: 'the-house-stands-alone',
      comment:
        'The server, the command line and the panel are packages of their own, and know the module by its name',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(server|cli|panel)/' },
    },
    {
      name: 'hosts-know-it-by-name',
      comment: 'What the server and the command line need of the module is what it exports',
      severity: 'error',
      from: { path: '^(server|cli)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/(?!(index|operations)\\.ts$)' },
    },
    {
      name: 'no-circle',
      comment: 'Files that import each other, types included, are one thing in two places',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphan',
      comment: 'A file that nothing imports is no longer used',
      severity: 'error',
      from: { orphan: true, path: '^(src|server|cli)/', pathNot: '\\.(spec|d)\\.ts$|/main\\.ts$' },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.cts', '.js', '.mjs', '.json'] },
    exclude: { path: '(^|/)dist/' },
  },
};

/**
 * The house, from the roof down: the rooms of each floor. A room may import from itself and from every floor below its
 * own; not from its neighbours on the same floor, and not types either. What CONTRIBUTING.md shows is this.
 */
export const FLOORS = [
  ['index.ts'],
  ['alerts.module.ts'],
  ['health', 'migrations', 'upkeep'],
  ['live', 'webhooks'],
  ['feed'],
  ['alerts'],
  ['auth', 'database'],
  ['metrics'],
  ['http'],
  ['options'],
];

/** The standalone server and the command line stand beside it. They are hosts: nothing of the house knows them. */
const HOSTS = ['server', 'cli'];

const inRooms = (rooms) => `^src/(${rooms.map((room) => room.replace('.', '\\.')).join('|')})(/|$)`;

/** What a floor's rooms must not import: the hosts, the rooms above, and each other. */
function rulesOf(rooms, index) {
  const notBelow = [...HOSTS, ...FLOORS.slice(0, index + 1).flat()];
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
      from: { path: '^src/', pathNot: inRooms([...FLOORS.flat(), ...HOSTS]) },
      to: {},
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
      from: { orphan: true, path: '^src/', pathNot: '\\.(spec|d)\\.ts$' },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
    exclude: { path: '(^|/)dist/' },
  },
};

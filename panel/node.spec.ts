import * as node from './node.js';

// The compiler sees to the names: one that is missing, or one too many, does not compile.
const names: Record<keyof typeof import('./panel.js'), keyof typeof node> = {
  SessionAlertsElement: 'SessionAlertsElement',
  addLanguage: 'addLanguage',
};

it('Node gets every name that browsers get', () => {
  expect(Object.keys(node).sort()).toEqual(Object.keys(names).sort());
});

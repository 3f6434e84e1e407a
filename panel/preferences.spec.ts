import { endOfMute, readPreferences, withMute, withoutMute, withoutMutesOf } from './preferences.js';

describe('What a person says of how to be told', () => {
  it('is read with what a server leaves out', () => {
    expect(readPreferences({ offered: { email: {} } })).toEqual({
      channels: {},
      mutes: [],
      quiet_hours: null,
      offered: { email: {} },
    });
  });

  it.each([null, 'preferences', [], { channels: {} }])('is not %j', (body) => {
    expect(() => readPreferences(body)).toThrow(TypeError);
  });

  it('mutes for an hour, until tomorrow in the morning, or for good', () => {
    const now = new Date(2026, 10, 27, 22, 30).getTime();
    expect(endOfMute('hour', now)).toBe(new Date(2026, 10, 27, 23, 30).toISOString());
    expect(endOfMute('tomorrow', now)).toBe(new Date(2026, 10, 28, 8, 0).toISOString());
    expect(endOfMute('good', now)).toBeUndefined();
    const endOfYear = new Date(2026, 11, 31, 1, 0).getTime();
    expect(endOfMute('tomorrow', endOfYear)).toBe(new Date(2027, 0, 1, 8, 0).toISOString());
  });

  const here = { event_type: 'a', session_name: 's-1' };
  const elsewhere = { event_type: 'a', session_name: 's-2' };
  const everywhere = { event_type: 'a' };
  const other = { event_type: 'b' };

  it('mutes the same once', () => {
    const until = '2026-11-27T12:00:00Z';
    expect(withMute([here, everywhere, other], { ...here, until })).toEqual([
      everywhere,
      other,
      { ...here, until },
    ]);
    expect(withMute([here], everywhere)).toEqual([here, everywhere]);
  });

  it('ends one mute, or all that mute an alert', () => {
    const all = [here, elsewhere, everywhere, other];
    expect(withoutMute(all, everywhere)).toEqual([here, elsewhere, other]);
    expect(withoutMutesOf(all, { event_type: 'a', session_name: 's-1' })).toEqual([elsewhere, other]);
    expect(withoutMutesOf(all, { event_type: 'a', session_name: null })).toEqual([here, elsewhere, other]);
  });
});

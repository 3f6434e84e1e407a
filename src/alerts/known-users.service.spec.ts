import { Logger, ServiceUnavailableException } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { alertsSettings } from '../options/alerts-settings.js';
import { KnownUsers } from './known-users.service.js';

class Directory {
  existing(userIds: string[]): Promise<string[]> {
    return Promise.resolve(userIds.filter((id) => id === 'jane'));
  }
}

describe('Which users a host does not know', () => {
  const existing = jest.fn<Promise<string[]>, [string[]]>();
  let warnings: unknown[];

  beforeEach(() => {
    warnings = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => warnings.push(line));
    existing.mockReset().mockImplementation((ids) => new Directory().existing(ids));
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function create(users?: { onFailure?: 'open' | 'closed' }): Promise<KnownUsers> {
    const auth = { issuer: 'https://issuer.example' };
    const settings = alertsSettings(users ? { auth, users: { directory: Directory, ...users } } : { auth });
    const found = new KnownUsers(settings, {
      create: () => Promise.resolve({ existing }),
    } as unknown as ModuleRef);
    await found.onModuleInit();
    return found;
  }

  it('are those whom its directory does not name, each asked for once', async () => {
    const users = await create({});
    expect([...(await users.unknownAmong(['jane', 'bob', 'jane', 'bob']))]).toEqual(['bob']);
    expect(existing.mock.calls).toEqual([[['jane', 'bob']]]);
  });

  it('are none where there is no directory, and nobody is asked about nobody', async () => {
    expect((await (await create()).unknownAmong(['bob'])).size).toBe(0);
    expect((await (await create({})).unknownAmong([])).size).toBe(0);
    expect(existing).not.toHaveBeenCalled();
  });

  it('are taken to be none while it fails, which is said', async () => {
    existing.mockRejectedValue(new Error('away'));
    expect((await (await create({})).unknownAmong(['bob'])).size).toBe(0);
    expect(warnings).toEqual(['The user directory failed (1 times); alerts are stored unasked: Error: away']);
  });

  it('cannot be told while it fails, where the host wants nothing stored then', async () => {
    const cause = new Error('away');
    existing.mockRejectedValue(cause);
    const users = await create({ onFailure: 'closed' });
    const error: unknown = await users.unknownAmong(['bob']).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceUnavailableException);
    expect(error).toMatchObject({ message: 'The user directory cannot be asked right now', cause });
    expect(warnings).toEqual([]);
  });
});

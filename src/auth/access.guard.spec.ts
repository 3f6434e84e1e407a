import { HttpException } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ModuleRef, Reflector } from '@nestjs/core';
import { DatabaseClock } from '../clock/database-clock.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import { Standstill } from '../http/standstill.service.js';
import { messagesOf } from '../http/error-messages.js';
import { alertsSettings } from '../options/alerts-settings.js';
import type { AlertsUser } from '../options/alerts-user.js';
import { AccessGuard } from './access.guard.js';
import type { AccessTokens } from './access-tokens.service.js';
import type { AccessService } from './access.service.js';
import type { SignedRequests } from './signed-requests.service.js';

class HostGuard implements CanActivate {
  answer: unknown = true;

  canActivate(): boolean {
    return this.answer as boolean;
  }
}

describe('The guard of a host', () => {
  const admitUser = jest.fn();
  let hostGuard: HostGuard;
  let request: { user?: unknown };

  beforeEach(() => {
    hostGuard = new HostGuard();
    request = {};
    admitUser.mockClear();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  async function ask(user?: () => unknown): Promise<boolean> {
    const auth = { guard: HostGuard, ...(user && { user: user as () => AlertsUser }) };
    const guard = new AccessGuard(
      alertsSettings({ auth }),
      { admitUser } as unknown as AccessService,
      {} as AccessTokens,
      { isExpected: () => false } as unknown as SignedRequests,
      new TrustedClock(new DatabaseClock()),
      new Standstill(),
      { get: () => 'admin' } as unknown as Reflector,
      { create: () => Promise.resolve(hostGuard) } as unknown as ModuleRef,
    );
    await guard.onModuleInit();
    return guard.canActivate({
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({}) }),
      getHandler: () => ask,
    } as unknown as ExecutionContext);
  }

  /** What a call fails with, and all that the log says of it. */
  async function failureOf(call: Promise<unknown>): Promise<[answer: string | undefined, line: string]> {
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    return [error instanceof HttpException ? error.message : undefined, messagesOf(error)];
  }

  it.each<[what: string, user: unknown, taken: AlertsUser]>([
    ['all of it', { id: 'jane', roles: ['a'], expiresAt: 5 }, { id: 'jane', roles: ['a'], expiresAt: 5 }],
    ['no roles', { id: 'jane' }, { id: 'jane', roles: [], expiresAt: undefined }],
    [
      'roles that are no list',
      { id: 'jane', roles: 'admin' },
      { id: 'jane', roles: [], expiresAt: undefined },
    ],
    ['an end that is no number', { id: 'jane', expiresAt: '5' }, { id: 'jane', roles: [] }],
    ['an end beyond all dates', { id: 'jane', expiresAt: Infinity }, { id: 'jane', roles: [] }],
  ])('says who calls: %s', async (_what, user, taken) => {
    request.user = user;
    expect(await ask()).toBe(true);
    expect(admitUser.mock.calls).toEqual([[request, taken, 'admin']]);
  });

  it('that lets nobody pass is believed', async () => {
    hostGuard.answer = false;
    expect(await ask()).toBe(false);
    expect(admitUser).not.toHaveBeenCalled();
  });

  it('is told in the log what it does wrong', async () => {
    hostGuard.answer = 'yes';
    const odd = 'AlertsModule: auth.guard must answer with true or false, or a promise or observable of it';
    expect(await failureOf(ask())).toEqual([undefined, odd]);
    hostGuard.answer = true;
    request.user = { name: 'jane' };
    expect(await failureOf(ask())).toEqual([
      undefined,
      "AlertsModule: auth.guard let a user pass without an id; set auth.user to read the user's id",
    ]);
  });

  it.each([
    ['auth.guard', undefined],
    ['auth.user', () => new Promise(() => undefined)],
  ])('is waited for, for half a minute, and the log names %s', async (option, user) => {
    jest.useFakeTimers();
    if (!user) hostGuard.answer = new Promise(() => undefined);
    const failure = failureOf(ask(user));
    await jest.advanceTimersByTimeAsync(29_999);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(await failure).toEqual([
      'Who calls cannot be told right now',
      `Who calls cannot be told right now: AlertsModule: ${option} has not answered for 30 s`,
    ]);
  });
});

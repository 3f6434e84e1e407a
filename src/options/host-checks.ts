import { setImmediate } from 'node:timers/promises';
import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { MODULE_OPTIONS_TOKEN } from './module-options.js';
import { wrong } from './option-checks.js';

/** The module has this, in whichever copy of the package. */
export const PACKAGE = Symbol.for('nestjs-session-alerts');

/** Where `TypeOrmModule.forRoot` keeps what it was given. */
const TYPEORM_OPTIONS = 'TypeOrmModuleOptions';

/**
 * The host's DataSource, where it is one that can keep alerts.
 * @param option by which the host names it
 * @throws Error with a sentence that says what to do
 */
export async function postgresDataSource(
  found: DataSource | undefined,
  name?: string,
  option: 'dataSource' | 'directDataSource' | 'readDataSource' = 'dataSource',
): Promise<DataSource> {
  const dataSource = calledDataSource(name);
  if (!found) {
    // One that is there and cannot connect has more to say, and is heard first.
    await setImmediate();
    const root = name === undefined ? "{ type: 'postgres', … }" : `{ name: '${name}', type: 'postgres', … }`;
    throw wrong(
      `there is no ${dataSource}: import TypeOrmModule.forRoot(${root}), or name yours as ${option}`,
    );
  }
  refuseOtherType(found.options.type, dataSource);
  return found;
}

/** Before it connects, where that can be told: TypeORM would try our tables there first, again and again. */
export function refuseOtherDatabase(modules: ModulesContainer, name: string | undefined): void {
  for (const { providers } of modules.values()) {
    if (!providers.has(getDataSourceToken(name))) continue;
    const options = providers.get(TYPEORM_OPTIONS)?.instance as Partial<DataSourceOptions> | null | undefined;
    if (options?.type) refuseOtherType(options.type, calledDataSource(name));
  }
}

function refuseOtherType(type: DataSourceOptions['type'], dataSource: string): void {
  if (type === 'postgres') return;
  throw wrong(
    `the ${dataSource} is of the type ${type}, and alerts need PostgreSQL: name one of the type postgres as dataSource`,
  );
}

function calledDataSource(name: string | undefined): string {
  return name === undefined ? 'DataSource' : `DataSource "${name}"`;
}

export function refuseBareModule(): never {
  throw wrong(
    "it is imported without options: write AlertsModule.forRoot({ auth: { issuer: '…' } }) or forRootAsync once, with isGlobal: true where other modules inject AlertsService",
  );
}

export function refuseSecondModule(modules: ModulesContainer, module: Type): void {
  const ours = new Set<unknown>();
  let count = 0;
  for (const { metatype, providers } of modules.values()) {
    if (!(PACKAGE in metatype)) continue;
    // The bare class says itself what it lacks.
    if (metatype === module && !providers.has(MODULE_OPTIONS_TOKEN)) continue;
    ours.add(metatype);
    count += 1;
  }
  if (ours.size > 1) {
    throw wrong(
      'two copies of nestjs-session-alerts are in this application: `npm ls nestjs-session-alerts` shows them; install one version',
    );
  }
  if (count > 1) {
    throw wrong(
      'it is registered more than once in this application: call forRoot or forRootAsync once, with isGlobal: true where other modules inject AlertsService',
    );
  }
}

import type {
  AlertsModuleAsyncOptions,
  AlertsModuleExtras,
  AlertsModuleOptions,
  AlertsModuleParts,
  AlertsModuleRootOptions,
} from './module-options.js';
import { isObject, list, oneOf, text, wrong } from './option-checks.js';

export const EXTRAS: Record<keyof AlertsModuleExtras, true> = {
  dataSource: true,
  directDataSource: true,
  readDataSource: true,
  isGlobal: true,
  decorators: true,
  webhooks: true,
};
export const PARTS: Record<keyof AlertsModuleParts, true> = { live: true, upkeep: true };

const OF_A_FACTORY: Record<
  Exclude<keyof AlertsModuleAsyncOptions, keyof AlertsModuleExtras | keyof AlertsModuleParts>,
  true
> = {
  imports: true,
  inject: true,
  provideInjectionTokensFrom: true,
  useClass: true,
  useExisting: true,
  useFactory: true,
};

/** How a module is registered, as far as it has to be known before anything is made. */
export interface Registration {
  dataSource: string | undefined;
  directDataSource: string | undefined;
  readDataSource: string | undefined;
  isGlobal: boolean;
  decorators: MethodDecorator[];
  webhooks: boolean;
  live: boolean;
  upkeep: boolean;
}

/**
 * Parts what shapes the module from what it is set to.
 * @throws Error with a sentence that says what to write
 */
export function registrationOf(given: AlertsModuleRootOptions): {
  registration: Registration;
  options: AlertsModuleOptions;
} {
  if (!isObject(given)) throw wrong('forRoot must be given options: { auth: { issuer: … } }');
  const {
    dataSource,
    directDataSource,
    readDataSource,
    isGlobal,
    decorators,
    webhooks,
    live,
    upkeep,
    ...options
  } = given;
  const registration = checked({
    ...{ dataSource, directDataSource, readDataSource, isGlobal, decorators, webhooks },
    live: isPart(live) ? live : true,
    upkeep: isPart(upkeep) ? upkeep : true,
  });
  return {
    registration,
    options: { ...options, ...(!isPart(live) && { live }), ...(!isPart(upkeep) && { upkeep }) },
  };
}

/**
 * The same, where a factory says what the module is set to.
 * @throws Error with a sentence that says what to write
 */
export function registrationOfFactory(given: AlertsModuleAsyncOptions): Registration {
  if (!isObject(given)) throw wrong('forRootAsync must be given useFactory, useClass or useExisting');
  const { useFactory, useClass, useExisting } = given;
  if (!useFactory && !useClass && !useExisting) {
    throw wrong('forRootAsync needs useFactory, useClass or useExisting, and what they must be given');
  }
  for (const name of Object.keys(given)) {
    if (name in OF_A_FACTORY || name in EXTRAS || name in PARTS) continue;
    throw wrong(`${name} must be in what useFactory returns, not beside it`);
  }
  return checked(given);
}

function checked(given: Partial<Record<keyof Registration, unknown>>): Registration {
  const {
    dataSource,
    directDataSource,
    readDataSource,
    isGlobal = false,
    decorators = [],
    webhooks = true,
    live = true,
    upkeep = true,
  } = given;
  const functions = list('decorators', decorators).filter((one) => typeof one === 'function');
  if (functions.length < (decorators as unknown[]).length) {
    throw wrong('decorators must be decorators of methods, called where they take arguments: [Public()]');
  }
  const yesOrNo = [true, false] as const;
  return {
    dataSource: optionalText('dataSource', dataSource),
    directDataSource: optionalText('directDataSource', directDataSource),
    readDataSource: optionalText('readDataSource', readDataSource),
    isGlobal: oneOf('isGlobal', yesOrNo, isGlobal),
    decorators: functions as MethodDecorator[],
    webhooks: oneOf('webhooks', yesOrNo, webhooks),
    live: oneOf('live', yesOrNo, live),
    upkeep: oneOf('upkeep', yesOrNo, upkeep),
  };
}

function optionalText(name: string, value: unknown): string | undefined {
  return value === undefined ? undefined : text(name, value);
}

function isPart(value: unknown): value is boolean | undefined {
  return typeof value === 'boolean' || value === undefined;
}

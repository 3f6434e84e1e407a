import Module from 'node:module';

declare global {
  /** Set by the global setup for the global teardown, which runs in the same process. */
  var stopTestDatabase: (() => Promise<void>) | undefined;
}

/**
 * Gives the template what every test database starts with. It is called with the template's connection string,
 * and its connections must be closed when it returns.
 */
async function prepareTemplate(url: string): Promise<void> {
  const { AlertsDataSource } = await import('../../src/migrations/alerts-data-source.js');
  const { postgresOptions } = await import('../../src/migrations/postgres-options.js');
  const dataSource = new AlertsDataSource(postgresOptions(url));
  await dataSource.initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
}

/**
 * Gives a run of jest its PostgreSQL: the server at DATABASE_URL, whose user may create databases, or an
 * embedded one; and on it the template that `createTestDatabase` copies.
 */
export default async function setUpTestDatabase(): Promise<void> {
  resolveSourcesOfJs();
  const { createTemplateDatabase } = await import('./database.js');

  const given = process.env['DATABASE_URL'];
  const server = given ? { url: given, stop: () => Promise.resolve() } : await startServer();
  globalThis.stopTestDatabase = () => server.stop();
  const template = await createTemplateDatabase(server.url, prepareTemplate);
  globalThis.stopTestDatabase = async () => {
    await template.drop();
    await server.stop();
  };

  process.env['TEST_DATABASE_URL'] = server.url;
  process.env['TEST_TEMPLATE_DATABASE'] = template.name;
}

async function startServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const { startEmbeddedPostgres } = await import('../../server/demo/embedded-postgres.js');
  return startEmbeddedPostgres({ settings: { fsync: 'off', max_connections: '200' } });
}

/**
 * Lets `./x.js` mean x.ts, as moduleNameMapper does in tests; jest does not apply that to a global setup. It works
 * for what is imported after this call, so dynamically.
 */
function resolveSourcesOfJs(): void {
  const loader = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string };
  const resolve = loader._resolveFilename.bind(loader);
  loader._resolveFilename = (request, ...rest) => {
    try {
      return resolve(request, ...rest);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(request)) throw error;
      return resolve(request.slice(0, -'.js'.length), ...rest);
    }
  };
}

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { ROOMS } from './rooms.mjs';

const REPORTS = 'coverage/mutants';
const root = join(import.meta.dirname, '..', '..');
const { startEmbeddedPostgres } = await import(join(root, 'server', 'dist', 'demo', 'embedded-postgres.js'));
const { postgresOptions, runMigrations } = await import('nestjs-session-alerts/operations');

/** What the arguments name: rooms, or files of one with commas between them; without any, all rooms. */
function chosen(names) {
  return (names.length === 0 ? Object.keys(ROOMS) : names).map((name) => {
    const [, room] = /^(?:src\/)?(\w+)(?:\/|$)/.exec(name) ?? [];
    if (!Object.hasOwn(ROOMS, room ?? '')) {
      console.error(
        `${name} is none of the rooms ${Object.keys(ROOMS).join(', ')}, nor a file of one (src/alerts/text.ts)`,
      );
      process.exit(2);
    }
    return {
      room,
      files: name.includes('/') ? name.split(',') : [`src/${room}/**/*.ts`, `!src/${room}/**/*.spec.ts`],
    };
  });
}

/** The databases of the tests are copies of this one. */
async function createTemplate(serverUrl) {
  const name = `session_alerts_template_${randomBytes(4).toString('hex')}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const dataSource = new DataSource(postgresOptions(url.href));
  await dataSource.initialize();
  await runMigrations(dataSource);
  await dataSource.destroy();
  return name;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    // Specs with commas between them, instead of all of the room.
    with: { type: 'string' },
    concurrency: { type: 'string', default: '2' },
  },
});
const parts = chosen(positionals);
const server = await startEmbeddedPostgres({ settings: { fsync: 'off', max_connections: '300' } });
try {
  process.env.TEST_DATABASE_URL = server.url;
  process.env.TEST_TEMPLATE_DATABASE = await createTemplate(server.url);
  for (const { room, files } of parts) {
    process.env.MUTANTS_SPECS = JSON.stringify(values.with?.split(',') ?? ROOMS[room]);
    await new Stryker({
      mutate: files,
      concurrency: Number(values.concurrency),
      incrementalFile: `${REPORTS}/${room}.incremental.json`,
      htmlReporter: { fileName: `${REPORTS}/${room}.html` },
      jsonReporter: { fileName: `${REPORTS}/${room}.json` },
    }).runMutationTest();
  }
} finally {
  await server.stop();
}

import type { RequestListener } from 'node:http';
import type { Finding } from '../../cli/src/doctor/check.js';
import { createTestDatabase, execute } from '../support/database.js';
import { answerJson, doctorsFindings, notChecked, troubles, withProgram } from '../support/doctor.js';

describe('A database that answers and cannot be written to', () => {
  it.each([
    ['with a full disk', '53100', /Its disk is full/],
    ['that is read-only', '25006', /lead to the primary/],
    ['whose rights are missing', '42501', /grant this role INSERT/],
    ['for another reason', 'P0001', /See PostgreSQL's log/],
  ])('%s is named, and nothing is left in it', async (_what, state, mend) => {
    const database = await createTestDatabase();
    try {
      const look = (): Promise<Finding[]> => doctorsFindings([], { DATABASE_URL: database.url });
      expect(troubles(await look())).toEqual({});
      await execute(
        database.url,
        `CREATE FUNCTION session_alerts.refuse() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '${state}'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON session_alerts.alerts
            FOR EACH ROW EXECUTE FUNCTION session_alerts.refuse()`,
      );
      const findings = await look();
      expect(troubles(findings)).toEqual({
        'database.writing': expect.stringMatching(
          new RegExp(`^No alert can be written: could not extend file >> .*${mend.source}`),
        ) as string,
      });
      expect(findings).toContainEqual(expect.objectContaining({ check: 'database', status: 'ok' }));
      expect(await execute(database.url, 'SELECT FROM session_alerts.alerts')).toEqual([]);
    } finally {
      await database.drop();
    }
  });
});

describe('What the server says of itself', () => {
  /** Our server, which says this at `/readyz`. */
  function saying(status: number, body: object): RequestListener {
    return ({ url }, response) => {
      if (url === '/readyz') answerJson(response, status, body);
      else answerJson(response, 401, {});
    };
  }

  async function hear(status: number, body: object): Promise<Finding | undefined> {
    const findings = await withProgram(saying(status, body), (url) =>
      doctorsFindings(['--api-url', `${url}/api/data`]),
    );
    return findings.find(({ check }) => check === 'readiness');
  }

  const checks = { database: 'ok', issuer: 'ok' };

  it('is repeated, with what mends it', async () => {
    expect(await hear(200, { checks })).toMatchObject({ status: 'ok' });
    expect(
      await hear(503, {
        checks: { ...checks, database: 'unavailable' },
        problems: ['The database is a standby: no alert can be stored. Let the address lead to the primary.'],
      }),
    ).toEqual({
      check: 'readiness',
      status: 'wrong',
      message: 'The server says: The database is a standby: no alert can be stored',
      mend: 'Let the address lead to the primary',
    });
    expect(await hear(503, { checks: { ...checks, issuer: 'unavailable' } })).toMatchObject({
      status: 'wrong',
      message: expect.stringContaining('503: issuer is unavailable') as string,
    });
  });

  it('is a warning where it serves all the same', async () => {
    expect(await hear(200, { checks: { ...checks, hearing: 'lost' } })).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('hearing is lost') as string,
    });
  });

  it('is not known where nothing of ours answers there', async () => {
    const findings = await withProgram(
      (_request, response) => response.writeHead(401).end('<html>'),
      (url) => doctorsFindings(['--api-url', `${url}/api/data`]),
    );
    expect(notChecked(findings)['readiness']).toMatch(/^because nothing of ours answers at .*\/readyz/);
  });
});

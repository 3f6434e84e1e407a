import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { servePanel } from './panel.js';

@Module({})
class Empty {}

describe('The panel that the server serves', () => {
  let folder: string;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'session-alerts-panel-'));
    const dist = join(folder, 'dist');
    mkdirSync(join(dist, 'node'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{}');
    for (const file of ['session-alerts.js', 'element.js', 'texts.de.js', 'LICENSES.md', 'node/panel.js']) {
      writeFileSync(join(dist, file), `// ${file}`);
    }
    app = await start(dist);
  });
  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  async function start(dist: string): Promise<NestFastifyApplication> {
    const module = await Test.createTestingModule({ imports: [Empty] }).compile();
    const created = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    servePanel(created, dist);
    await created.init();
    return created;
  }

  it.each(['session-alerts.js', 'element.js', 'texts.de.js'])(
    'is %s, asked for again each time, from any origin',
    async (file) => {
      const { statusCode, headers, body } = await app.inject({ url: `/panel/${file}` });
      expect(statusCode).toBe(200);
      expect(body).toBe(`// ${file}`);
      expect(headers).toMatchObject({
        'content-type': expect.stringMatching(/^(text|application)\/javascript\b/) as string,
        'cache-control': 'public, no-cache',
        'access-control-allow-origin': '*',
      });
      const { etag } = headers;
      const again = await app.inject({ url: `/panel/${file}`, headers: { 'if-none-match': String(etag) } });
      expect(again.statusCode).toBe(304);
    },
  );

  it('comes with the licenses of what is in it', async () => {
    expect((await app.inject({ url: '/panel/LICENSES.md' })).statusCode).toBe(200);
  });

  it.each([
    ['', 'node/panel.js', 'session-alerts.js/', 'unknown.js'],
    ['../package.json', '..%2fpackage.json', '%2e%2e/package.json', 'node/..%2felement.js', './/element.js'],
  ])('is at no other address: %s, %s, %s, %s', async (...paths) => {
    for (const path of paths) {
      expect([path, (await app.inject({ url: `/panel/${path}` })).statusCode]).toEqual([path, 404]);
    }
  });

  it('may be missing, in a checkout that was not built', async () => {
    const without = await start(join(folder, 'nowhere'));
    expect((await without.inject({ url: '/panel/session-alerts.js' })).statusCode).toBe(404);
    await without.close();
  });
});

import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from './program.js';

/** How long an alert outlives Prometheus's last word of it: four times this (s). */
const RESEND_DELAY = 3;

export interface PrometheusOptions {
  /** What it scrapes, in its text format. */
  metrics: () => string;
  /** Rules as they stand in a group of a rules file. */
  rules: object[];
  alertmanagerUrl: string;
}

/** Debian's Prometheus as a process of its own, which looks at everything once a second. */
export class Prometheus {
  /** Without a slash at its end. */
  readonly url: string;
  private readonly runs: Program[] = [];

  private constructor(
    private readonly port: number,
    private readonly folder: string,
    private readonly closeExporter: () => Promise<void>,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts one with an exporter for it, and waits until it is ready. */
  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const exporter = await startExporter(options.metrics);
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-prometheus-'));
    const prometheus = new Prometheus(await freePort(), folder, exporter.close);
    try {
      // JSON is YAML.
      const rules = { groups: [{ name: 'sessions', rules: options.rules }] };
      await writeFile(join(folder, 'rules.yml'), JSON.stringify(rules));
      const config = {
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: ['rules.yml'],
        alerting: {
          alertmanagers: [{ static_configs: [{ targets: [new URL(options.alertmanagerUrl).host] }] }],
        },
        scrape_configs: [{ job_name: 'sessions', static_configs: [{ targets: [exporter.address] }] }],
      };
      await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
      await prometheus.startAgain();
      return prometheus;
    } catch (error) {
      await prometheus.close();
      throw error;
    }
  }

  /** Starts it with what it has stored. */
  async startAgain(): Promise<void> {
    const run = new Program(
      'Prometheus',
      'prometheus',
      [
        `--config.file=${join(this.folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(this.folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
        `--rules.alert.resend-delay=${RESEND_DELAY}s`,
      ],
      { folder: this.folder },
    );
    this.runs.push(run);
    await run.until(async () => (await fetch(`${this.url}/-/ready`)).ok);
  }

  async stop(): Promise<void> {
    await this.runs.at(-1)?.stop();
  }

  /** Ends it for good and removes all that was its own. */
  async close(): Promise<void> {
    await this.stop();
    await this.closeExporter();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function startExporter(
  metrics: () => string,
): Promise<{ address: string; close: () => Promise<void> }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metrics());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

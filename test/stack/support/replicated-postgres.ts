import { PostgresNode } from './postgres-node.js';

/** Two servers of PostgreSQL, the second a standby that the first waits for. */
export class ReplicatedPostgres {
  private constructor(readonly nodes: [PostgresNode, PostgresNode]) {}

  static async start(): Promise<ReplicatedPostgres> {
    const first = await PostgresNode.primary();
    const cluster = new ReplicatedPostgres([first, await first.standby()]);
    await first.waitForStandby();
    return cluster;
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.stop();
  }
}

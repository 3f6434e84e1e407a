import type { DataSource, QueryRunner } from 'typeorm';

/** TypeORM 1 calls it `dataSource`, 0.3 called it `connection`. */
export function dataSourceOf(runner: QueryRunner): DataSource {
  const { dataSource, connection } = runner as { dataSource?: DataSource; connection?: DataSource };
  const found = dataSource ?? connection;
  if (!found)
    throw new Error('A query runner of TypeORM must tell its DataSource: 0.3.20 or later is needed');
  return found;
}

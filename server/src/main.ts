#!/usr/bin/env node
import { readConfig } from './config.js';
import { explain, runUntilStopped } from './process.js';
import { createServer } from './server.js';

try {
  const config = readConfig(process.env);
  const app = await createServer(config);
  runUntilStopped(() => app.close());
  await app.listen(config.port, config.host);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

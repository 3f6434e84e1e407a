import { ConfigError, readConfig } from './config.js';
import { createServer } from './server.js';
import { runUntilStopped } from './run-until-stopped.js';

try {
  const config = readConfig(process.env);
  const app = await createServer(config);
  await app.listen(config.port, config.host);
  runUntilStopped(() => app.close());
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : describe(error)}\n`);
  process.exitCode = 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `The port is in use already: set PORT to a free one. (${error.message})`;
  }
  return error.stack ?? error.message;
}

#!/usr/bin/env node
import { runCommandLine } from './program.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads has read enough (`| head`).
  if (error.code !== 'EPIPE') throw error;
});

const exitCode = await runCommandLine(process.argv.slice(2));
// Not exit(): what is still to be written to a pipe would be lost.
if (exitCode !== 0) process.exitCode = exitCode;

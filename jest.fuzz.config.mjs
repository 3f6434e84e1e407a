import stack from './jest.stack.config.mjs';

/**
 * The suite that sends the built server, a process of its own on the embedded PostgreSQL, what nobody should. It needs
 * npm alone, and Linux's /proc.
 * @type {import('jest').Config}
 */
export default {
  ...stack,
  roots: ['<rootDir>/test/fuzz'],
  testTimeout: 600_000,
};

module.exports = { preset: 'ts-jest', testEnvironment: 'node', rootDir: 'src', testMatch: ['**/*.test.ts'] };

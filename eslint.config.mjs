import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      'coverage/',
      '.stryker-tmp/',
      'node_modules/',
      'test/hosts/{nest*,generated-client,panel-*}/',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.{ts,cts}'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Nest's modules are classes with nothing in them.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // DTOs are classes only so that Swagger sees them; as types they are shapes.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'TSParameterProperty:has(Decorator[expression.callee.name="Optional"]):not(:has(Decorator[expression.callee.name=/^Inject/]))',
          message:
            'Name what is injected: of a type that may be undefined Nest sees nothing, and injects nothing.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', '**/*.spec.ts'],
    // Where a test is wrong about what is there, it fails all the same.
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['src/auth/access-tokens.service.ts'],
    // passport-jwt's types call `jsonWebTokenOptions` deprecated, but nothing else sets the clock tolerance.
    rules: { '@typescript-eslint/no-deprecated': 'off' },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        document: 'readonly',
        fetch: 'readonly',
      },
    },
  },
);

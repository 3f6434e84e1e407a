import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Where .ci/run puts kubernetes-validate, below the project's folder. */
const PYTHON_ENVIRONMENT = 'node_modules/.cache/kubernetes-validate';

/** The programs that the suite needs, and how to install each. */
const PROGRAMS = {
  promtool: 'apt-get install prometheus',
  prometheus: 'apt-get install prometheus',
  amtool: 'apt-get install prometheus-alertmanager',
  'prometheus-alertmanager': 'apt-get install prometheus-alertmanager',
  curl: 'apt-get install curl',
  jq: 'apt-get install jq',
  'kubernetes-validate': `python3 -m venv ${PYTHON_ENVIRONMENT} && ${PYTHON_ENVIRONMENT}/bin/pip install kubernetes-validate==1.37.0`,
};

/**
 * Puts the Python environment into PATH, and looks whether all the programs are there.
 * @throws Error one is not; it says how to install it
 */
export function findPrograms() {
  const python = fileURLToPath(new URL(`../../../${PYTHON_ENVIRONMENT}/bin`, import.meta.url));
  process.env.PATH = `${python}:${process.env.PATH}`;
  const missing = Object.entries(PROGRAMS).filter(
    ([program]) => spawnSync(program, ['--help'], { stdio: 'ignore' }).error !== undefined,
  );
  if (missing.length === 0) return;
  const hints = missing.map(([program, command]) => `  ${program}: ${command}`);
  throw new Error(
    `The check of deploy/ needs programs that are not here. Install them:\n${hints.join('\n')}`,
  );
}

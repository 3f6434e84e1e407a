import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Where .ci/run puts kubernetes-validate, below the project's folder. */
const PYTHON_ENVIRONMENT = 'node_modules/.cache/kubernetes-validate';
/** Where scripts/install-helm.sh puts Helm. */
const HELM = 'node_modules/.cache/helm';

/** The programs that the suite needs, and how to install each. */
const PROGRAMS = {
  promtool: 'apt-get install prometheus',
  prometheus: 'apt-get install prometheus',
  amtool: 'apt-get install prometheus-alertmanager',
  'prometheus-alertmanager': 'apt-get install prometheus-alertmanager',
  curl: 'apt-get install curl',
  jq: 'apt-get install jq',
  'kubernetes-validate': `python3 -m venv ${PYTHON_ENVIRONMENT} && ${PYTHON_ENVIRONMENT}/bin/pip install kubernetes-validate==1.37.0`,
  helm: 'scripts/install-helm.sh, which takes minutes',
};

/**
 * Puts the Python environment and Helm into PATH, and looks whether all the programs are there.
 * @throws Error one is not; it says how to install it
 */
export function findPrograms() {
  const folders = [`${PYTHON_ENVIRONMENT}/bin`, HELM].map((folder) =>
    fileURLToPath(new URL(`../../../${folder}`, import.meta.url)),
  );
  process.env.PATH = [...folders, process.env.PATH].join(':');
  const missing = Object.entries(PROGRAMS).filter(
    ([program]) => spawnSync(program, ['--help'], { stdio: 'ignore' }).error !== undefined,
  );
  if (missing.length === 0) return;
  const hints = missing.map(([program, command]) => `  ${program}: ${command}`);
  throw new Error(
    `The check of deploy/ needs programs that are not here. Install them:\n${hints.join('\n')}`,
  );
}

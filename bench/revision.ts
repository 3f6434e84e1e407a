import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './usage-error.js';

/** The clone, below whose node_modules/.cache this is built. */
const ROOT = join(import.meta.dirname, '..', '..', '..', '..');

/** Which state of the project is measured. */
export interface RevisionName {
  /** As git abbreviates it. */
  commit: string;
  /** Whether files differ from that commit. */
  isChanged: boolean;
}

/** What is measured: the working tree. `undefined` where git does not know it. */
export function workingTree(): RevisionName | undefined {
  const [commit, changes] = [git(['rev-parse', '--short', 'HEAD']), git(['status', '--porcelain'])];
  return commit.status === 0 && changes.status === 0
    ? { commit: commit.stdout.trim(), isChanged: changes.stdout.trim() !== '' }
    : undefined;
}

/**
 * The commit that a revision stands for, as git abbreviates it.
 * @throws UsageError
 */
export function commitOf(revision: string): string {
  const found = git(['rev-parse', '--short', '--verify', '--end-of-options', `${revision}^{commit}`]);
  if (found.error) throw new UsageError('--against needs git, which is not there: install it.');
  if (found.status === 0) return found.stdout.trim();
  if (git(['rev-parse', '--git-dir']).status !== 0) {
    throw new UsageError('--against needs the history: run it in a clone of the repository.');
  }
  throw new UsageError(
    `There is no revision "${revision}" in this clone: name a commit, tag or branch that \`git log\` knows, or fetch it.`,
  );
}

/** Another revision's server, built in a folder of its own. */
export class RevisionBuild {
  private readonly removing = new AbortController();
  private running: { child: ChildProcess; ended: Promise<unknown> } | undefined;
  private folder: string | undefined;
  private program: string | undefined;

  constructor(readonly commit: string) {
    process.once('exit', this.removeAtOnce);
  }

  /** The file that Node starts the server with, once it is built. */
  get server(): string {
    if (this.program === undefined) throw new Error(`${this.commit} is not built`);
    return this.program;
  }

  /**
   * Builds it by its own scripts.
   * @param step is told what is being done
   * @throws UsageError where that revision cannot be built here
   */
  async build(step: (text: string) => void): Promise<void> {
    step(`building ${this.commit}`);
    this.folder = await mkdtemp(join(tmpdir(), 'session-alerts-bench-'));
    const tree = join(this.folder, 'tree');
    const archive = join(this.folder, 'tree.tar');
    await this.run('git', ['archive', '--prefix=tree/', '-o', archive, this.commit], ROOT);
    await this.run('tar', ['-xf', archive], this.folder);
    const entry = await this.startScript(tree);
    if (await hasOurPackages(tree)) {
      await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    } else {
      step(`installing the packages of ${this.commit}`);
      await this.run('npm', ['ci', '--no-audit', '--no-fund'], tree);
      step(`building ${this.commit}`);
    }
    await this.run('npm', ['run', 'build'], tree);
    this.program = join(tree, entry);
  }

  /** Ends what builds, and removes all. */
  async remove(): Promise<void> {
    this.removing.abort();
    this.killRunning();
    await this.running?.ended;
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    process.off('exit', this.removeAtOnce);
  }

  private readonly removeAtOnce = (): void => {
    this.killRunning();
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  };

  private killRunning(): void {
    const child = this.running?.child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // With all that it has started.
    process.kill(-child.pid, 'SIGKILL');
  }

  /** What `npm start` runs, below the revision's folder. */
  private async startScript(tree: string): Promise<string> {
    const manifest = await readFile(join(tree, 'package.json'), 'utf8').catch(() => '{}');
    const { scripts } = JSON.parse(manifest) as { scripts?: Record<string, string> };
    const entry = /^(?:exec )?node (\S+)$/.exec(scripts?.['start'] ?? '')?.[1];
    if (entry !== undefined) return entry;
    throw new UsageError(
      `${this.commit} has no server to measure: its package.json has no script "start" that is \`node <file>\`.`,
    );
  }

  private async run(program: string, args: string[], cwd: string): Promise<void> {
    this.removing.signal.throwIfAborted();
    // In a process group of its own: a terminal's Ctrl-C is for us, and it ends with all that it starts.
    const child = spawn(program, args, {
      cwd,
      env: ourEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-4_000);
      });
    }
    const ended = new Promise<boolean>((resolve) => {
      child.once('error', ({ message }) => {
        output += message;
        resolve(false);
      });
      child.once('close', (code) => {
        resolve(code === 0);
      });
    });
    this.running = { child, ended };
    const succeeded = await ended;
    this.running = undefined;
    this.removing.signal.throwIfAborted();
    if (!succeeded) {
      throw new UsageError(
        `${this.commit} cannot be built here: \`${[program, ...args].join(' ')}\` failed. It wrote:\n${output}`,
      );
    }
  }
}

/** Whether our packages are those that it asks for. A package that lies in the repository itself is not. */
async function hasOurPackages(tree: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all(
    [ROOT, tree].map((folder) => readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => undefined)),
  );
  return ours !== undefined && ours === theirs && !/"link": true/.test(ours);
}

/** Without what `npm run` tells its own children: an npm that we start would follow it, and say nothing, or more. */
function ourEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
}

function git(args: string[]) {
  return spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
}

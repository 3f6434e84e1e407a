/** What a command sees of the process that runs it: results go to `stdout`, progress and errors to `stderr`. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** What only the page's developer can mend. */
export type ProblemKind = 'address' | 'token' | 'cors' | 'unauthorized';

/** Of `session-alerts-problem`, once for each kind. */
export interface Problem {
  kind: ProblemKind;
  /** What is wrong, and what to set. In English: it is for developers. */
  message: string;
}

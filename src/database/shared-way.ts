import type { Statement } from './statement.js';

/**
 * What the way to the database does to connections: a pooler may give each to another between two transactions. What was
 * set on it is gone then, and so are prepared statements, unless the pooler keeps them under names of its own.
 */
export class SharedWay {
  private shared: boolean;
  private keepsStatements: boolean;
  private learned = false;

  /**
   * @param mayBeShared whether what needs a connection of its own has another way. Until it is known whether this one
   * is shared, it is taken to be.
   */
  constructor(readonly mayBeShared: boolean) {
    this.shared = mayBeShared;
    this.keepsStatements = !mayBeShared;
  }

  get isShared(): boolean {
    return this.shared;
  }

  /** Whether it is known, and stays so: what shares connections once may do so whenever it is busy. */
  get isSettled(): boolean {
    return this.learned && this.shared;
  }

  /** The statement as it can be asked. */
  asked(statement: Statement): Statement {
    if (this.keepsStatements || statement.name === undefined) return statement;
    const { text, values = [] } = statement;
    return { text, values };
  }

  learn(isShared: boolean, keepsStatements: boolean): void {
    this.shared = isShared;
    this.keepsStatements = keepsStatements;
    this.learned = true;
  }
}

/** Of a connection that nobody shares. */
export const OWN_WAY = new SharedWay(false);

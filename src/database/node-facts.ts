import type { Target } from './database-address.js';

/** What a node says of itself, as text: how an application's `pg` reads other types is its own affair. */
export interface NodeFacts {
  /** 'true' or 'false'. */
  isStandby: string;
  /** Whether transactions are read-only there unless they say otherwise: 'on' or 'off'. */
  readOnly: string;
  /** Seconds since 1970: another node has another, and so has the same one after it was started again. */
  startedAt: string;
}

export const READ_NODE_FACTS = `
  SELECT pg_catalog.pg_is_in_recovery()::text AS "isStandby",
         pg_catalog.current_setting('transaction_read_only') AS "readOnly",
         extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text AS "startedAt"`;

export const STANDBY = {
  message: 'The database is a standby, which is read-only: no alert can be stored',
  mend: 'Let the address lead to the primary, or promote this node: nothing has to be restarted',
};

const NO_STANDBY = {
  message: 'The database is no standby, which its address asks for by target_session_attrs',
  mend: 'Let the address lead to a standby, or set target_session_attrs to prefer-standby',
};

const NO_PRIMARY = {
  message:
    'No node of the database that answers is its primary, and standbys are read-only: no alert can be stored',
  mend: 'Promote one of them, or let the address name the primary: nothing has to be restarted',
};

/** A node answers, and is not one that the address asks for. */
export class UnfitNodeError extends Error {
  /** Parts of a sentence that name nothing internal. */
  readonly problem: { message: string; mend: string };

  /** @param causes where several nodes were asked: why none of them will do */
  constructor(target: Target, causes?: Error) {
    const wantsStandby = target === 'standby' || target === 'read-only';
    const problem = wantsStandby ? NO_STANDBY : causes ? NO_PRIMARY : STANDBY;
    super(`${problem.message}. ${problem.mend}.`, causes && { cause: causes });
    this.problem = problem;
  }
}

/**
 * Whether it is wanted that way. What transactions are by default, every connection sets for itself; so only a standby
 * is read-only for us.
 */
export function isFit({ isStandby, readOnly }: NodeFacts, target: Target): boolean {
  switch (target) {
    case 'read-write':
    case 'primary':
      return isStandby === 'false';
    case 'standby':
      return isStandby === 'true';
    case 'read-only':
      return isStandby === 'true' || readOnly === 'on';
    case 'any':
    case 'prefer-standby':
      return true;
  }
}

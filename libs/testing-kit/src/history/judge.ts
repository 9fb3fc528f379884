import { Examination, type Invariant, type Violation } from './examination.js';
import type { History } from './history.js';
import { allEvidence, closedPeriods, sameDigests, sameInvoices } from './invariants/billing.js';
import { boundStatuses, calls, effectiveOnce, parkedKeys } from './invariants/effects.js';
import { acknowledged, lastingSubjects, oneContent } from './invariants/inbound.js';
import { consistentCheckpoints, gapless, oneToOne } from './invariants/ledger.js';
import { causalReads, contiguous, keyVersions, streamVersions } from './invariants/order.js';
import { decryptable, erased, tenancy } from './invariants/privacy.js';
import { capacity, sameDecisions } from './invariants/routing.js';

const rules: readonly ((history: History, examination: Examination) => void)[] = [
  acknowledged,
  oneContent,
  lastingSubjects,
  keyVersions,
  streamVersions,
  contiguous,
  effectiveOnce,
  parkedKeys,
  calls,
  boundStatuses,
  capacity,
  sameDecisions,
  allEvidence,
  sameInvoices,
  closedPeriods,
  oneToOne,
  consistentCheckpoints,
  gapless,
  erased,
  decryptable,
  tenancy,
  sameDigests,
  causalReads,
];

export type Verdict = {
  readonly violations: readonly Violation[];
  /** How many things each rule looked at: a rule that looked at nothing has said nothing. */
  readonly examined: ReadonlyMap<Invariant, number>;
};

/** Holds a history against the 24 invariants. Pure: the same history gives the same verdict. */
export const judge = (history: History): Verdict => {
  const examination = new Examination();
  for (const rule of rules) rule(history, examination);
  return { violations: examination.violations, examined: examination.examined };
};

import type { CheckResult, RunChecks, StartContext } from '../context.js';
import { checkBilling } from './billing.js';
import { checkDisclosures } from './disclosures.js';
import { Facts } from './facts.js';
import type { Finding } from './finding.js';
import { checkInbound } from './inbound.js';
import { checkLedger } from './ledger.js';
import { checkPrivacy } from './privacy.js';
import { checkReplay } from './replay.js';
import { checkReplies } from './replies.js';
import { checkRouting } from './routing.js';
import { untilSettled } from './settled.js';
import { checkTenancy } from './tenancy.js';
import { checkWindows } from './windows.js';

const checks: readonly {
  readonly id: number;
  readonly name: string;
  readonly run: (facts: Facts) => Finding | Promise<Finding>;
}[] = [
  { id: 1, name: 'every item sent is recorded, in order, with its effect once', run: checkInbound },
  { id: 2, name: 'every message is in one conversation; windows as reckoned', run: checkWindows },
  { id: 3, name: 'queued, offered, assigned, explained; capacity kept', run: checkRouting },
  { id: 4, name: 'replies called once, at the right address; others refused', run: checkReplies },
  { id: 5, name: 'usage and statements equal the own reckoning', run: checkBilling },
  { id: 6, name: 'disclosures and access records match one to one', run: checkDisclosures },
  { id: 7, name: 'the ledger verifies offline, a changed copy does not', run: checkLedger },
  { id: 8, name: 'billing rebuilt from the log is equal; a changed log is named', run: checkReplay },
  { id: 9, name: 'no personal data in clear in records, logs or metrics', run: checkPrivacy },
  { id: 10, name: 'nothing crosses a tenant', run: checkTenancy },
];

/** How many contradictions of a check are printed; the report has the same. */
const SHOWN = 5;

/** Waits until nothing moves, reads both sides once and compares them. The order matters: the tenancy check reads, which is recorded too. */
export const runChecks: RunChecks = async (context: StartContext, day) => {
  await untilSettled(context);
  const facts = await Facts.gather(context, day);
  try {
    const results: CheckResult[] = [];
    for (const { id, name, run } of checks) {
      const { figures, problems } = await Promise.resolve()
        .then(() => run(facts))
        .catch((error: unknown): Finding => ({
          figures: {},
          problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
        }));
      results.push({
        id,
        name,
        status: problems.length === 0 ? 'PASS' : 'FAIL',
        figures: {
          ...figures,
          ...(problems.length > 0 ? { contradictions: problems.length, examples: problems.slice(0, SHOWN) } : {}),
        },
      });
    }
    return results;
  } finally {
    await facts.close();
  }
};

import type { Examination } from '../examination.js';
import type { History } from '../history.js';

/** 14. */
export const allEvidence = (history: History, examination: Examination): void => {
  examination.expectSame(
    14,
    history.evidences,
    'the evidence',
    history.ratings.map(({ evidence }) => evidence),
    'what was rated, free, in suspense or parked',
  );
};

/** 15. */
export const sameInvoices = (history: History, examination: Examination): void => {
  for (const [invoice, made] of Map.groupBy(history.invoices, (one) => one.invoice))
    for (const { circumstances, digest } of made)
      examination.expect(
        15,
        digest === made[0]?.digest,
        () => `invoice ${invoice} is another under ${circumstances} than under ${made[0]?.circumstances}`,
      );
};

/** 16. */
export const closedPeriods = (history: History, examination: Examination): void => {
  for (const { period, digests, included, items } of history.periods) {
    examination.expect(16, new Set(digests).size === 1, () => `period ${period} changed after it was closed`);
    const inside = new Set(included);
    for (const { id, late } of items)
      examination.expect(
        16,
        late !== inside.has(id),
        () => `${id} is ${late ? 'late and' : 'not late and not'} in the closing of ${period}`,
      );
  }
};

/** 23. */
export const sameDigests = (history: History, examination: Examination): void => {
  for (const [manifest, replays] of Map.groupBy(history.replays, (one) => one.manifest))
    for (const { digest } of replays)
      examination.expect(
        23,
        digest === replays[0]?.digest,
        () => `manifest ${manifest} gave ${replays[0]?.digest} and ${digest}`,
      );
  for (const { record, named } of history.tamperings)
    examination.expect(23, named === record, () => `${record} was changed, ${named ?? 'nothing'} was named`);
};

import type { AccessRow, ProofView } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { get } from '../api/client.js';
import type { AccessAnswer } from '../api/queries.js';
import book from '../shared/book.module.css';
import { ProblemNotice } from '../shared/problem-notice.js';
import { Seal } from '../shared/seal.js';
import { clockSeconds, grouped } from '../shared/time.js';
import { checkHistory } from './check-history.js';
import classes from './ledger.module.css';

const proofOf = async (leafIndex: string): Promise<ProofView> => (await get<ProofView>(`/v1/records/${leafIndex}/proof`)).body;

/**
 * Whether a person's numbers 1 to n are all there. The log says so first, and the seal stays open; it closes when this page has
 * checked each record itself. A hole needs no proof to be seen.
 */
export const Completeness = ({
  complete,
  rows,
}: {
  readonly complete: AccessAnswer['complete'];
  /** All records of the person, newest first, or null while some are not loaded. */
  readonly rows: readonly AccessRow[] | null;
}): ReactNode => {
  const { t } = useTranslation();
  const check = useMutation({
    mutationFn: async (all: readonly AccessRow[]) => {
      const keys = await get<{ items: { verifierKey: string }[] }>('/v1/keys');
      const verdict = await checkHistory(all, complete.expected ?? 0, keys.body.items[0]?.verifierKey ?? '', proofOf);
      return { ...verdict, at: Date.now() };
    },
  });
  const { state, expected, found } = complete;
  if (state === 'not_a_subject') return null;
  const verdict = check.data;
  const said = t(state === 'complete' ? 'ledger.complete' : 'ledger.gap', {
    found: grouped(found),
    expected: grouped(expected ?? found),
  });
  const sentence = {
    proven: said,
    gap: state === 'gap' ? said : t('ledger.broken'),
    altered: t('ledger.altered', { n: grouped(verdict?.leaf ?? '0') }),
    unchecked: verdict ? t('ledger.unchecked') : said,
  };
  const shown = verdict?.state ?? (state === 'gap' ? 'gap' : 'unchecked');
  return (
    <>
      <div className={classes.verdict} role="status">
        <Seal state={shown} />
        <div>
          <p className={classes.sentence}>{sentence[shown]}</p>
          <p className={book.dim}>
            {verdict
              ? t('ledger.checkedAt', { time: clockSeconds(verdict.at), size: grouped(verdict.size) })
              : t('ledger.notChecked')}{' '}
            · {t('ledger.completeMeans')}
          </p>
        </div>
        {state === 'complete' && !verdict && rows !== null && (
          <Button variant="default" className={classes.checkAll} disabled={check.isPending} onClick={() => check.mutate(rows)}>
            {check.isPending ? t('ledger.checking') : t('ledger.checkAll', { count: rows.length, n: grouped(rows.length) })}
          </Button>
        )}
      </div>
      {check.error && rows !== null && <ProblemNotice error={check.error} onRetry={() => check.mutate(rows)} />}
    </>
  );
};

import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useAccessRecords } from '../api/queries.js';
import book from '../shared/book.module.css';
import { useAgentName } from '../shared/labels.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { grouped, utcTime } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import { Completeness } from './completeness.js';
import { withGaps } from './gaps.js';
import { RecordDrawer } from './record-drawer.js';
import { Verified, useWords } from './words.js';
import classes from './ledger.module.css';

/** The records of a person or an agent as an account book, newest first. */
export const History = ({
  subject,
  agent,
  from,
  to,
  record,
}: {
  readonly subject: string | undefined;
  readonly agent: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly record: string | undefined;
}): ReactNode => {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const agentName = useAgentName();
  const words = useWords();
  const search = useMemo(
    () => ({
      ...(subject !== undefined && { subject }),
      ...(agent !== undefined && { actor: agent }),
      ...(from !== undefined && { from: `${from}T00:00:00.000Z` }),
      ...(to !== undefined && { to: `${to}T23:59:59.999Z` }),
    }),
    [subject, agent, from, to],
  );
  const records = useAccessRecords(search);
  const rows = records.data?.pages.flatMap(({ items }) => items) ?? [];
  const complete = records.data?.pages[0]?.complete;
  const whole = !records.hasNextPage && from === undefined && to === undefined;
  const show = (leaf: string | undefined): void =>
    void navigate({ to: '.', search: { ...(from && { from }), ...(to && { to }), ...(leaf !== undefined && { record: leaf }) } });

  if (records.error && rows.length === 0) return <ProblemNotice error={records.error} onRetry={() => void records.refetch()} />;
  if (records.isPending) return <Waiting rows={8} height={36} />;
  return (
    <>
      {complete && <Completeness complete={complete} rows={whole ? rows : null} />}
      {rows.length === 0 ? (
        <p className={book.note}>{t('ledger.none')}</p>
      ) : (
        <div className={book.scroll} role="region" aria-label={t('ledger.records')} tabIndex={0}>
          <table className={book.book}>
            <caption className="ct-only-read">{t('ledger.records')}</caption>
            <thead>
              <tr>
                {subject !== undefined && (
                  <th scope="col" className={book.figure}>
                    {t('ledger.number')}
                  </th>
                )}
                <th scope="col">{t('ledger.when')}</th>
                <th scope="col">{t('ledger.who')}</th>
                <th scope="col">{t('ledger.shown')}</th>
                <th scope="col">{t('ledger.reason')}</th>
                <th scope="col">{t('ledger.verified')}</th>
                <th scope="col" className={book.figure}>
                  {t('ledger.leaf')}
                </th>
              </tr>
            </thead>
            <tbody>
              {withGaps(
                subject === undefined ? rows.map((row) => ({ ...row, leaf: { ...row.leaf, subjectSeq: null } })) : rows,
              ).map((entry) =>
                entry.kind === 'gap' ? (
                  <tr key={`gap ${entry.after}`}>
                    <td colSpan={7} className={classes.gap}>
                      {t('ledger.missing', {
                        count: entry.missing,
                        after: grouped(entry.after),
                        before: grouped(entry.before),
                      })}
                    </td>
                  </tr>
                ) : (
                  <tr key={entry.row.leafIndex} data-selected={entry.row.leafIndex === record}>
                    {subject !== undefined && <td className={book.figure}>{entry.row.leaf.subjectSeq}</td>}
                    <td>
                      <button type="button" className={book.open} onClick={() => show(entry.row.leafIndex)}>
                        <time dateTime={entry.row.leaf.occurredAt}>{utcTime(entry.row.leaf.occurredAt)}</time>
                      </button>
                    </td>
                    <td>
                      {agentName(entry.row.leaf.actor.id)}{' '}
                      <span className={`${book.dim} ${book.small}`}>{t(`role.${entry.row.leaf.actor.role}`)}</span>
                    </td>
                    <td>{words.shown(entry.row.leaf)}</td>
                    <td>{t(`reasonCode.${entry.row.leaf.reason.code}`)}</td>
                    <td>
                      <Verified verified={entry.row.leaf.verified} />
                    </td>
                    <td className={book.figure}>{grouped(entry.row.leafIndex)}</td>
                  </tr>
                ),
              )}
            </tbody>
          </table>
        </div>
      )}
      {records.hasNextPage && (
        <p className={book.more}>
          <Button variant="default" disabled={records.isFetchingNextPage} onClick={() => void records.fetchNextPage()}>
            {t('ledger.more')}
          </Button>
        </p>
      )}
      {record !== undefined && <RecordDrawer key={record} leafIndex={record} onClose={() => show(undefined)} />}
    </>
  );
};

import { Button } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useFindings } from '../api/queries.js';
import book from '../shared/book.module.css';
import { Hash } from '../shared/hash.js';
import { Mark } from '../shared/mark.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { grouped, utcTime } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import type { LedgerSearch } from '../router.js';
import { RecordDrawer } from './record-drawer.js';

/** What the ledger noticed about its sources by itself: numbers that never came, came twice, or lists that do not add up. */
export const Findings = (): ReactNode => {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { record }: LedgerSearch = useSearch({ strict: false });
  const findings = useFindings();
  const items = findings.data?.pages.flatMap((page) => page.items) ?? [];
  const show = (leaf: string | undefined): void =>
    void navigate({ to: '/ledger/findings', search: leaf === undefined ? {} : { record: leaf } });
  return (
    <div className={book.page}>
      <p>
        <Link to="/ledger" className={book.back}>
          <IconArrowLeft size={14} stroke={1.5} aria-hidden="true" /> {t('rail.ledger')}
        </Link>
      </p>
      <div className={book.head}>
        <h1 className={book.title}>{t('ledger.findings')}</h1>
        <p className={book.facts}>{t('side.recorded')}</p>
      </div>
      {findings.isPending && <Waiting rows={4} height={36} />}
      {findings.error && <ProblemNotice error={findings.error} onRetry={() => void findings.refetch()} />}
      {findings.data && items.length === 0 && <p className={book.note}>{t('ledger.noFindings')}</p>}
      {items.length > 0 && (
        <div className={book.scroll} role="region" aria-label={t('ledger.findings')} tabIndex={0}>
          <table className={book.book}>
            <caption className="ct-only-read">{t('ledger.findings')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('ledger.when')}</th>
                <th scope="col">{t('ledger.finding')}</th>
                <th scope="col">{t('ledger.source')}</th>
                <th scope="col" className={book.figure}>
                  {t('ledger.numbers')}
                </th>
                <th scope="col" className={book.figure}>
                  {t('ledger.leaf')}
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((each) => (
                <tr
                  key={`${each.leafIndex} ${each.kind} ${each.sourceLane} ${each.numberFrom}`}
                  data-selected={each.leafIndex === record}
                >
                  <td>
                    <button type="button" className={book.open} onClick={() => show(each.leafIndex)}>
                      <time dateTime={each.foundAt}>{utcTime(each.foundAt)}</time>
                    </button>
                  </td>
                  <td>
                    <Mark state="bad">{t(`ledger.kind.${each.kind}`)}</Mark>
                  </td>
                  <td>
                    <Hash value={each.sourceLane} />
                  </td>
                  <td className={book.figure}>
                    {each.numberFrom === each.numberTo
                      ? grouped(each.numberFrom)
                      : `${grouped(each.numberFrom)}–${grouped(each.numberTo)}`}
                  </td>
                  <td className={book.figure}>{grouped(each.leafIndex)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {findings.hasNextPage && (
        <p className={book.more}>
          <Button variant="default" disabled={findings.isFetchingNextPage} onClick={() => void findings.fetchNextPage()}>
            {t('ledger.more')}
          </Button>
        </p>
      )}
      {record !== undefined && <RecordDrawer key={record} leafIndex={record} onClose={() => show(undefined)} />}
    </div>
  );
};

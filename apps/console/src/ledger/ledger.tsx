import { Link, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import book from '../shared/book.module.css';
import type { LedgerSearch } from '../router.js';
import { History } from './history.js';
import { SearchForm } from './search-form.js';

/** Who saw this customer, or what this agent saw. Every search is a record in the same ledger. */
export const Ledger = (): ReactNode => {
  const { t } = useTranslation();
  const { subject, agent } = useParams({ strict: false });
  const search: LedgerSearch = useSearch({ strict: false });
  const { from, to } = search;
  const asked = subject !== undefined || agent !== undefined;
  return (
    <div className={book.page}>
      <div className={book.head}>
        <h1 className={book.title}>{t(agent === undefined ? 'ledger.title' : 'ledger.titleAgent')}</h1>
        <p className={book.facts}>{t('ledger.recorded')}</p>
        <Link to="/ledger/findings" className={book.aside}>
          {t('ledger.findings')}
        </Link>
      </div>
      <SearchForm
        key={`${subject ?? ''} ${agent ?? ''} ${from ?? ''} ${to ?? ''}`}
        search={search}
        agent={agent}
        subject={subject}
      />
      {asked ? (
        <History
          key={`history ${subject ?? ''} ${agent ?? ''} ${from ?? ''} ${to ?? ''}`}
          subject={subject}
          agent={agent}
          from={from}
          to={to}
          record={search.record}
        />
      ) : (
        <p className={book.note}>{t('ledger.start')}</p>
      )}
    </div>
  );
};

import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useStatements } from '../api/queries.js';
import { locale } from '../i18n/index.js';
import book from '../shared/book.module.css';
import { ProblemNotice } from '../shared/problem-notice.js';
import { grouped, monthName } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import { formatAmount } from './money.js';
import classes from './billing.module.css';

/** Every month with usage, by account. */
export const Months = (): ReactNode => {
  const { t } = useTranslation();
  const statements = useStatements();
  return (
    <div className={book.page}>
      <div className={book.head}>
        <h1 className={book.title}>{t('billing.title')}</h1>
      </div>
      {statements.isPending && <Waiting rows={6} height={36} />}
      {statements.error && <ProblemNotice error={statements.error} onRetry={() => void statements.refetch()} />}
      {statements.data?.items.length === 0 && <p className={book.note}>{t('billing.none')}</p>}
      {statements.data && statements.data.items.length > 0 && (
        <div className={book.scroll} role="region" aria-label={t('billing.title')} tabIndex={0}>
          <table className={book.book}>
            <caption className="ct-only-read">{t('billing.title')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('billing.month')}</th>
                <th scope="col">{t('billing.account')}</th>
                <th scope="col">{t('billing.state')}</th>
                <th scope="col" className={book.figure}>
                  {t('billing.quantity')}
                </th>
                <th scope="col" className={book.figure}>
                  {t('billing.amount')}
                </th>
                <th scope="col">{t('billing.currency')}</th>
              </tr>
            </thead>
            <tbody>
              {statements.data.items.map((each) => (
                <tr key={`${each.wabaId} ${each.month}`}>
                  <td>
                    <Link
                      to="/billing/$account/$month"
                      params={{ account: each.wabaId, month: each.month }}
                      className={classes.month}
                    >
                      {monthName(each.month)}
                    </Link>
                  </td>
                  <td>{each.name}</td>
                  <td className={book.dim}>{t(`billing.${each.state}`)}</td>
                  <td className={book.figure}>{grouped(each.quantity)}</td>
                  <td className={book.figure}>{formatAmount(each.amount, locale())}</td>
                  <td>{each.currency}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
};

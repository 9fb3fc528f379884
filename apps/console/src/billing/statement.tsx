import type { Statement, StatementLine } from '@centralita/contracts';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { IconArrowLeft } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useStatement } from '../api/queries.js';
import { locale, type Language } from '../i18n/index.js';
import book from '../shared/book.module.css';
import { Hash } from '../shared/hash.js';
import { Mark } from '../shared/mark.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { grouped, monthName, zonedTime } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import { LineDrawer } from './line-drawer.js';
import { addsUp, formatAmount, formatExactly, formatRate } from './money.js';
import classes from './billing.module.css';

const FreeTier = ({ tier }: { readonly tier: Statement['freeTier'][number] }): ReactNode => {
  const { t } = useTranslation();
  const share = Math.min(1, tier.used / Math.max(1, tier.allotment));
  return (
    <div className={classes.tier}>
      <span>{t('billing.number', { id: tier.phoneNumberId })}</span>
      <span className={classes.gauge} aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span>{t('billing.freeTier', { used: grouped(tier.used), allotment: grouped(tier.allotment) })}</span>
    </div>
  );
};

/** Name of a line: what it is for, where, and how it is charged. */
export const useLineName = (): ((line: StatementLine) => string) => {
  const { t, i18n } = useTranslation();
  return (line) => {
    if (line.kind === 'suspense') return t('billing.notPriced');
    const category = i18n.exists(`category.${line.category}`) ? t(`category.${line.category}`) : line.category;
    return [category, line.market, t(line.kind === 'free' ? 'billing.free' : 'billing.paid')].filter(Boolean).join(', ');
  };
};

const Lines = ({
  statement,
  open,
  onOpen,
}: {
  readonly statement: Statement;
  readonly open: string | undefined;
  readonly onOpen: (line: string) => void;
}): ReactNode => {
  const { t, i18n } = useTranslation();
  const name = useLineName();
  const { lines, total } = statement;
  const whole =
    addsUp(
      lines.map(({ amount }) => amount),
      total.amount,
    ) && lines.reduce((sum, { quantity }) => sum + quantity, 0) === total.quantity;
  return (
    <div className={book.scroll} role="region" aria-label={t('billing.lines')} tabIndex={0}>
      <table className={book.book}>
        <caption className="ct-only-read">{t('billing.lines')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('billing.line')}</th>
            <th scope="col">{t('billing.numberHead')}</th>
            <th scope="col" className={book.figure}>
              {t('billing.quantity')}
            </th>
            <th scope="col" className={book.figure}>
              {t('billing.rate')}
            </th>
            <th scope="col" className={book.figure}>
              {statement.currency}
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.lineId} data-selected={line.lineId === open}>
              <td>
                <button type="button" className={book.open} onClick={() => onOpen(line.lineId)}>
                  {name(line)}
                </button>
                <p className={`${book.dim} ${book.small}`}>{line.explanation[i18n.language as Language]}</p>
              </td>
              <td className={book.dim}>{line.phoneNumberId}</td>
              <td className={book.figure}>{grouped(line.quantity)}</td>
              <td className={book.figure}>{line.rate === null ? '–' : formatRate(line.rate, locale())}</td>
              <td className={book.figure} title={formatExactly(line.amount, locale())}>
                {line.kind === 'suspense' ? '–' : formatAmount(line.amount, locale())}
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t('billing.total')}</th>
            <td>
              <Mark state={whole ? 'good' : 'bad'}>{t(whole ? 'billing.adds' : 'billing.differs')}</Mark>
            </td>
            <td className={book.figure}>{grouped(total.quantity)}</td>
            <td />
            <td className={book.figure} title={formatExactly(total.amount, locale())}>
              {formatAmount(total.amount, locale())}
            </td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
};

/** The month of an account: its lines, what they add up to, and the way down to each message. */
export const StatementPage = (): ReactNode => {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { account = '', month = '', line, message } = useParams({ strict: false });
  const statement = useStatement(account, month);
  const data = statement.data;
  const opened = data?.lines.find(({ lineId }) => lineId === line);
  return (
    <div className={book.page}>
      <p>
        <Link to="/billing" className={book.back}>
          <IconArrowLeft size={14} stroke={1.5} aria-hidden="true" /> {t('billing.title')}
        </Link>
      </p>
      <div className={book.head}>
        <h1 className={book.title}>{monthName(month)}</h1>
        {data && (
          <p className={book.facts}>
            {t(`billing.${data.state}`)} · {data.timeZone} · {t('billing.estimate')}
          </p>
        )}
      </div>
      {statement.isPending && <Waiting rows={6} height={36} />}
      {statement.error && <ProblemNotice error={statement.error} onRetry={() => void statement.refetch()} />}
      {data && (
        <>
          <div className={classes.tiers}>
            {data.freeTier.map((tier) => (
              <FreeTier key={tier.phoneNumberId} tier={tier} />
            ))}
          </div>
          <Lines
            statement={data}
            open={line}
            onOpen={(lineId) =>
              void navigate({ to: '/billing/$account/$month/lines/$line', params: { account, month, line: lineId } })
            }
          />
          <p className={book.note}>
            {t('billing.asOf', { time: zonedTime(data.asOf, data.timeZone), zone: data.timeZone })} · {t('billing.digest')}{' '}
            <Hash value={data.digest} />
          </p>
          {opened && (
            <LineDrawer
              key={opened.lineId}
              statement={data}
              line={opened}
              message={message}
              onClose={() => void navigate({ to: '/billing/$account/$month', params: { account, month } })}
            />
          )}
        </>
      )}
    </div>
  );
};

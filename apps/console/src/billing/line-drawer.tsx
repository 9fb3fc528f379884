import type { Statement, StatementLine, UsageItem } from '@centralita/contracts';
import { Button, Drawer } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLineUsage } from '../api/queries.js';
import { locale, type Language } from '../i18n/index.js';
import book from '../shared/book.module.css';
import { Hash } from '../shared/hash.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { grouped, zonedTime } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import { formatExactly } from './money.js';
import { useLineName } from './statement.js';
import classes from './billing.module.css';

const Evidence = ({ item, timeZone }: { readonly item: UsageItem; readonly timeZone: string }): ReactNode => {
  const { t, i18n } = useTranslation();
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('billing.message'), <Hash value={item.messageRef} whole />],
    [t('billing.usage'), <Hash value={item.usageId} whole />],
    [
      t('billing.market'),
      [item.marketHint.country, item.marketHint.prefix && `+${item.marketHint.prefix}`].filter(Boolean).join(' ') || '–',
    ],
    [t('billing.pricing'), [item.pricingModel, item.pricingType].filter(Boolean).join(' · ') || '–'],
    [t('billing.charge'), item.rate === null ? '–' : formatExactly(item.amount, locale())],
    [t('billing.revision'), item.revision],
  ];
  return (
    <div className={classes.evidence}>
      <dl className={book.list}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3 className={classes.small}>{t('billing.evidence')}</h3>
      <ul>
        {item.evidence.map(({ eventId, status, at }) => (
          <li key={eventId} className={classes.event}>
            <span>{i18n.exists(`status.${status}`) ? t(`status.${status}`, { reason: '' }) : status}</span>
            <time dateTime={at}>{zonedTime(at, timeZone)}</time>
            <Hash value={eventId} />
          </li>
        ))}
      </ul>
    </div>
  );
};

/** The messages behind a line, and behind each message the events that prove it was delivered. */
export const LineDrawer = ({
  statement,
  line,
  message,
  onClose,
}: {
  readonly statement: Statement;
  readonly line: StatementLine;
  readonly message: string | undefined;
  readonly onClose: () => void;
}): ReactNode => {
  const { t, i18n } = useTranslation();
  const name = useLineName();
  const { wabaId: account, month, timeZone } = statement;
  const usage = useLineUsage(account, month, line.lineId);
  const items = usage.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={480}
      title={name(line)}
      closeButtonProps={{ 'aria-label': t('ledger.close') }}
      transitionProps={{ duration: 140 }}
    >
      <div className={book.drawer}>
        <p>{line.explanation[i18n.language as Language]}</p>
        <dl className={book.list}>
          {line.era && (
            <div>
              <dt>{t('billing.era')}</dt>
              <dd>{t(`era.${line.era}`)}</dd>
            </div>
          )}
          {line.cardId && (
            <div>
              <dt>{t('billing.card')}</dt>
              <dd>
                <Hash value={line.cardId} />
              </dd>
            </div>
          )}
        </dl>
        <h2 className={classes.count}>{t('billing.messages', { count: line.quantity, n: grouped(line.quantity) })}</h2>
        {usage.isPending && <Waiting rows={6} height={36} />}
        {usage.error && <ProblemNotice error={usage.error} onRetry={() => void usage.refetch()} />}
        <ul className={classes.usage}>
          {items.map((item) => {
            const open = item.usageId === message;
            const to = open ? '/billing/$account/$month/lines/$line' : '/billing/$account/$month/lines/$line/messages/$message';
            return (
              <li key={item.usageId}>
                <Link
                  to={to}
                  params={{ account, month, line: line.lineId, message: item.usageId }}
                  className={classes.item}
                  aria-expanded={open}
                  replace
                >
                  <time dateTime={item.deliveredAt}>{zonedTime(item.deliveredAt, timeZone)}</time>
                  <code>{item.messageRef}</code>
                </Link>
                {open && <Evidence item={item} timeZone={timeZone} />}
              </li>
            );
          })}
        </ul>
        {usage.hasNextPage && (
          <p>
            <Button variant="default" disabled={usage.isFetchingNextPage} onClick={() => void usage.fetchNextPage()}>
              {t('inbox.more')}
            </Button>
          </p>
        )}
      </div>
    </Drawer>
  );
};

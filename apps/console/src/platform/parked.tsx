import type { ParkedOutcome, ParkingProcess, PlatformParkedKey } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem, call } from '../api/client.js';
import { useParkedKeys } from '../api/queries.js';
import book from '../shared/book.module.css';
import { Hash } from '../shared/hash.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { dateAndTime } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import { count } from './figures.js';
import { placeOf, SkipDialog } from './skip-dialog.js';
import classes from './platform.module.css';

type Decision = { readonly verb: 'retry' | 'skip'; readonly item: PlatformParkedKey };

const send = async ({ verb, item }: Decision): Promise<ParkedOutcome> => {
  const path = `/v1/platform/parked/${item.process}/${encodeURIComponent(item.key)}/${verb}`;
  const { first } = item;
  const record = first && { topic: first.topic, partition: first.partition, offset: first.offset };
  return (await call<ParkedOutcome>('POST', path, verb === 'skip' ? { body: { record } } : {})).body;
};

/** What came of the last decision, in place: it is looked for where it was taken. */
const Outcome = ({ decision, outcome }: { readonly decision: Decision; readonly outcome: ParkedOutcome }): ReactNode => {
  const { t } = useTranslation();
  const { item, verb } = decision;
  const named = { process: item.process, key: item.key.slice(0, 8), count: outcome.applied, n: count(outcome.applied) };
  return (
    <p className={classes.outcome} role="status">
      {t(`platform.parked.${verb === 'skip' ? 'skipped' : 'retried'}`, named)}{' '}
      {outcome.blocked === null ? t('platform.parked.free') : t('platform.parked.blocked', { why: outcome.blocked })}
    </p>
  );
};

const Row = ({
  item,
  busy,
  onRetry,
  onSkip,
}: {
  readonly item: PlatformParkedKey;
  readonly busy: boolean;
  readonly onRetry: () => void;
  readonly onSkip: () => void;
}): ReactNode => {
  const { t, i18n } = useTranslation();
  const { code } = item;
  const meaning = i18n.exists(`platform.parked.code.${code}`)
    ? t(`platform.parked.code.${code}`)
    : t('platform.parked.code.other');
  return (
    <tr>
      <td>{item.process}</td>
      <td>
        <Hash value={item.key} />
      </td>
      <td>
        <time dateTime={item.since}>{dateAndTime(item.since)}</time>
      </td>
      <td>
        <code>{code}</code>
        <p className={`${book.dim} ${book.small}`}>{meaning}</p>
      </td>
      <td className={book.figure}>{count(item.records)}</td>
      <td>{item.first ? <code className={classes.place}>{placeOf(item.first)}</code> : t('platform.parked.worked')}</td>
      <td>
        <span className={classes.decisions}>
          <Button size="xs" variant="default" disabled={busy} onClick={onRetry}>
            {t('platform.parked.retry')}
          </Button>
          <Button size="xs" variant="default" disabled={busy || item.first === null} onClick={onSkip}>
            {t('platform.parked.skip')}
          </Button>
        </span>
      </td>
    </tr>
  );
};

/** Keys that wait for a person, in all services or in one: apply them again, or give the record up that stands in the way. */
export const Parked = ({ only }: { readonly only: ParkingProcess | undefined }): ReactNode => {
  const { t } = useTranslation();
  const client = useQueryClient();
  const parked = useParkedKeys(only);
  const [skipping, setSkipping] = useState<PlatformParkedKey | null>(null);
  // The dialogue is always there, and keeps its text while it closes: so it gives the focus back to the button that opened it.
  const [asked, setAsked] = useState<PlatformParkedKey | null>(null);
  const decide = useMutation({
    mutationFn: send,
    onSuccess: () => setSkipping(null),
    // Whatever came of it: what stood here is old.
    onSettled: () => client.invalidateQueries({ queryKey: ['platform'] }),
  });
  const pages = parked.data?.pages ?? [];
  const items = pages.flatMap((page) => page.items);
  const sources = pages[0]?.sources ?? [];
  const away = sources.filter(({ state }) => state === 'unavailable').map(({ process }) => process);
  const nowhere = sources.filter(({ state }) => state === 'no_address').map(({ process }) => process);
  const longer = only === undefined ? sources.filter(({ nextCursor }) => nextCursor !== null) : [];
  const gone = decide.error instanceof ApiProblem && decide.error.problem.code === 'NOT_FOUND';
  const problem =
    decide.error && (gone ? <p role="alert">{t('platform.parked.gone')}</p> : <ProblemNotice error={decide.error} />);
  return (
    <section className={classes.parked}>
      <h2 className={classes.heading}>{t('platform.parked.title')}</h2>
      <p className={classes.remark}>{t('platform.parked.what')}</p>
      {only && (
        <p className={book.note}>
          {t('platform.parked.only', { process: only })} <Link to="/platform">{t('platform.parked.all')}</Link>
        </p>
      )}
      {decide.data && decide.variables && <Outcome decision={decide.variables} outcome={decide.data} />}
      {!skipping && problem}
      {parked.isPending && <Waiting rows={2} height={36} />}
      {parked.error && <ProblemNotice error={parked.error} onRetry={() => void parked.refetch()} />}
      {away.length > 0 && <p className={classes.warning}>{t('platform.parked.away', { processes: away.join(', ') })}</p>}
      {parked.data && items.length === 0 && <p className={book.note}>{t('platform.parked.none')}</p>}
      {items.length > 0 && (
        <div className={book.scroll} role="region" aria-label={t('platform.parked.title')} tabIndex={0}>
          <table className={book.book}>
            <caption className="ct-only-read">{t('platform.parked.title')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('platform.head.process')}</th>
                <th scope="col">{t('platform.parked.key')}</th>
                <th scope="col">{t('platform.parked.since')}</th>
                <th scope="col">{t('platform.parked.why')}</th>
                <th scope="col" className={book.figure}>
                  {t('platform.parked.records')}
                </th>
                <th scope="col">{t('platform.parked.first')}</th>
                <th scope="col">{t('platform.parked.decide')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <Row
                  key={`${item.process} ${item.key}`}
                  item={item}
                  busy={decide.isPending}
                  onRetry={() => decide.mutate({ verb: 'retry', item })}
                  onSkip={() => {
                    decide.reset();
                    setSkipping(item);
                    setAsked(item);
                  }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {parked.hasNextPage && (
        <p className={book.more}>
          <Button variant="default" disabled={parked.isFetchingNextPage} onClick={() => void parked.fetchNextPage()}>
            {t('inbox.more')}
          </Button>
        </p>
      )}
      {longer.map(({ process }) => (
        <p key={process} className={book.note}>
          <Link to="/platform" search={{ parked: process }}>
            {t('platform.parked.longer', { process })}
          </Link>
        </p>
      ))}
      {nowhere.length > 0 && <p className={book.note}>{t('platform.parked.nowhere', { processes: nowhere.join(', ') })}</p>}
      <SkipDialog
        opened={skipping !== null}
        item={asked}
        busy={decide.isPending}
        problem={problem}
        onClose={() => setSkipping(null)}
        onSkip={(item) => decide.mutate({ verb: 'skip', item })}
      />
    </section>
  );
};

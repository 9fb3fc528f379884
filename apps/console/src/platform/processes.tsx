import type { PlatformProcessView } from '@centralita/contracts';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import book from '../shared/book.module.css';
import { dateAndTime, timeOrDay } from '../shared/time.js';
import { useNow } from '../shared/clock.js';
import { bounds, nameOf } from './attention.js';
import { megabytes, seconds, UNKNOWN } from './figures.js';
import { State } from './state.js';
import classes from './platform.module.css';

/** Why a process is not ready or says nothing, and since when. */
const Why = ({ view }: { readonly view: PlatformProcessView }): ReactNode => {
  const { t } = useTranslation();
  const now = useNow();
  if (view.state === 'ready' && view.problem === null) return null;
  const reasons = [
    ...view.failing.map(({ check, reason }) => `${check}: ${reason}`),
    ...(view.problem ? [t(`platform.problem.${view.problem}`)] : []),
  ];
  return (
    <p className={`${book.dim} ${book.small}`}>
      {reasons.join(', ')}
      {view.state !== 'ready' && ` · ${t('platform.since', { time: timeOrDay(view.since, now) })}`}
    </p>
  );
};

export const Processes = ({ processes }: { readonly processes: readonly PlatformProcessView[] }): ReactNode => {
  const { t } = useTranslation();
  return (
    <section>
      <h2 className={classes.heading}>{t('platform.processes')}</h2>
      <div className={book.scroll} role="region" aria-label={t('platform.processes')} tabIndex={0}>
        <table className={book.book}>
          <caption className="ct-only-read">{t('platform.processes')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('platform.head.process')}</th>
              <th scope="col">{t('platform.head.state')}</th>
              <th scope="col">{t('platform.head.version')}</th>
              <th scope="col">{t('platform.head.started')}</th>
              <th scope="col" className={book.figure}>
                {t('platform.head.eventLoop')}
              </th>
              <th scope="col" className={book.figure}>
                {t('platform.head.memory')}
              </th>
              <th scope="col" className={book.figure}>
                {t('platform.head.lagNow')}
              </th>
            </tr>
          </thead>
          <tbody>
            {processes.map((view) => (
              <tr key={nameOf(view)}>
                <td>
                  <span className={classes.process}>{nameOf(view)}</span>
                </td>
                <td>
                  <State state={view.state} />
                  <Why view={view} />
                </td>
                <td className={book.dim}>{view.version ?? UNKNOWN}</td>
                <td className={book.dim}>
                  {view.startedAt ? <time dateTime={view.startedAt}>{dateAndTime(view.startedAt)}</time> : UNKNOWN}
                </td>
                <td className={book.figure}>
                  <span data-late={(view.eventLoopDelaySeconds ?? 0) > bounds.eventLoop || undefined}>
                    {seconds(view.eventLoopDelaySeconds)}
                  </span>
                </td>
                <td className={book.figure}>{megabytes(view.residentBytes)}</td>
                <td className={book.figure}>{seconds(view.lagSeconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
};

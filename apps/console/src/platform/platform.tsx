import type { PlatformFigures } from '@centralita/contracts';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { usePlatformOverview } from '../api/queries.js';
import type { PlatformSearch } from '../router.js';
import book from '../shared/book.module.css';
import { ProblemNotice } from '../shared/problem-notice.js';
import { clockSeconds } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import { attentionOf } from './attention.js';
import { Facts } from './facts.js';
import { seconds } from './figures.js';
import { Parked } from './parked.js';
import { Pipeline } from './pipeline.js';
import { Processes } from './processes.js';
import { addTexts } from './texts/index.js';
import classes from './platform.module.css';

addTexts();

/** The answer to "is everything all right?", before all figures: yes, or what is not. */
const Verdict = ({ figures }: { readonly figures: PlatformFigures }): ReactNode => {
  const { t } = useTranslation();
  if (figures.sampledAt === null) return <p className={classes.verdict}>{t('platform.firstRound')}</p>;
  const attention = attentionOf(figures, seconds);
  const ready = figures.processes.filter(({ state }) => state === 'ready').length;
  const all = { ready, total: figures.processes.length };
  const Icon = attention.length === 0 ? IconCheck : IconAlertTriangle;
  return (
    <div className={classes.verdict} data-state={attention.length === 0 ? 'good' : 'bad'}>
      <Icon size={24} stroke={2} aria-hidden="true" />
      <div>
        <p className={classes.sentence} role="status">
          {attention.length === 0 ? t('platform.good', all) : t('platform.attention', { count: attention.length })}
        </p>
        <ul className={classes.attention}>
          {attention.map(({ what, with: filled }, index) => (
            <li key={`${what} ${index}`}>
              {t(`platform.look.${what}`, {
                ...filled,
                ...('stage' in filled && { stage: t(`platform.stage.${filled.stage}`) }),
              })}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
};

const example = `[
  { "name": "conversation", "url": "http://conversation:9090" },
  { "name": "ingest-sender", "url": "http://ingest-sender:9090",
    "api": "http://ingest-sender:8080" }
]`;

/** An installation that shows its figures elsewhere says where, and how to have them here. */
const Elsewhere = ({ setting }: { readonly setting: string }): ReactNode => {
  const { t } = useTranslation();
  return (
    <section className={classes.elsewhere}>
      <p className={classes.sentence}>{t('platform.elsewhere.title')}</p>
      <p>{t('platform.elsewhere.text', { setting })}</p>
      <pre className={classes.example} tabIndex={0} aria-label={setting}>
        <code>{example}</code>
      </pre>
      <p className={book.dim}>{t('platform.elsewhere.parked')}</p>
    </section>
  );
};

/** How the platform is: for those who run it. Figures without customer data; deciding about parked keys is recorded. */
export const Platform = (): ReactNode => {
  const { t } = useTranslation();
  const { parked }: PlatformSearch = useSearch({ strict: false });
  const overview = usePlatformOverview();
  const figures = overview.data?.configured ? overview.data : null;
  const old = overview.data !== undefined && overview.error !== null;
  return (
    <div className={book.page} data-old={old || undefined}>
      <div className={book.head}>
        <h1 className={book.title}>{t('platform.title')}</h1>
        {figures?.sampledAt && (
          <p className={book.facts}>
            {t('platform.asOf')} <time dateTime={figures.sampledAt}>{clockSeconds(Date.parse(figures.sampledAt))}</time>
          </p>
        )}
      </div>
      {overview.isPending && <Waiting rows={8} height={48} />}
      {overview.error && (
        <div className={classes.problem}>
          {old && figures?.sampledAt && (
            <p className={classes.warning}>{t('platform.old', { time: clockSeconds(Date.parse(figures.sampledAt)) })}</p>
          )}
          <ProblemNotice error={overview.error} onRetry={() => void overview.refetch()} />
        </div>
      )}
      {figures && (
        <>
          <Verdict figures={figures} />
          <Pipeline figures={figures} />
          <Facts figures={figures} />
          <Processes processes={figures.processes} />
        </>
      )}
      {overview.data && !overview.data.configured && <Elsewhere setting={overview.data.setting} />}
      {overview.data && <Parked only={parked} />}
    </div>
  );
};

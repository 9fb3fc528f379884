import type { PlatformFigures, PlatformProcess, PlatformStage, PlatformStageView } from '@centralita/contracts';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import book from '../shared/book.module.css';
import { count, highest, rate, seconds } from './figures.js';
import { bounds } from './attention.js';
import { Sparkline } from './sparkline.js';
import { Socket, State, type Condition } from './state.js';
import classes from './platform.module.css';

const processOf = (stage: PlatformStage): PlatformProcess => (stage === 'webhook' ? 'ingest-webhook' : stage);

/** A stage is as ready as its processes are; one of several that is away is not all of it. */
const conditionOf = (stage: PlatformStage, processes: PlatformFigures['processes']): Condition => {
  const states = processes.filter(({ process }) => process === processOf(stage)).map(({ state }) => state);
  if (states.length === 0) return 'unknown';
  if (states.every((state) => state === 'ready')) return 'ready';
  return states.every((state) => state === 'down') ? 'down' : 'not_ready';
};

const Figure = ({
  name,
  late,
  children,
}: {
  readonly name: string;
  readonly late?: boolean;
  readonly children: ReactNode;
}): ReactNode => (
  <div>
    <dt>{name}</dt>
    <dd data-late={late || undefined}>{children}</dd>
  </div>
);

const Stage = ({
  view,
  state,
  stepSeconds,
}: {
  readonly view: PlatformStageView;
  readonly state: Condition;
  readonly stepSeconds: number;
}): ReactNode => {
  const { t } = useTranslation();
  const { stage, lagSeconds, lagRecords, outboxAgeSeconds } = view;
  const name = t(`platform.stage.${stage}`);
  return (
    <li className={classes.stage}>
      <Socket state={state} />
      <h3 className={classes.stageName}>{name}</h3>
      <p>
        <State state={state} />
      </p>
      <p className={classes.big}>
        <span className={classes.number}>{rate(view.perSecond)}</span> {t('platform.perSecond')}
      </p>
      <Sparkline
        label={`${name}: ${t('platform.rate')}`}
        history={view.history.perSecond}
        stepSeconds={stepSeconds}
        format={rate}
        kind="petrol"
      />
      {stage === 'webhook' ? (
        <p className={classes.remark}>{t('platform.recordsFirst')}</p>
      ) : (
        <>
          <dl className={classes.facts}>
            <Figure name={t('platform.lag')} late={(lagSeconds ?? 0) > bounds.lag}>
              <span className={classes.number}>{seconds(lagSeconds)}</span>
              {', '}
              {t('platform.records', { count: Math.round(lagRecords ?? 0), n: count(lagRecords) })}
            </Figure>
          </dl>
          <Sparkline
            label={`${name}: ${t('platform.lag')}`}
            history={view.history.lagSeconds}
            stepSeconds={stepSeconds}
            format={seconds}
          />
          <dl className={classes.facts}>
            <Figure name={t('platform.outbox')} late={(outboxAgeSeconds ?? 0) > bounds.outbox}>
              <span className={classes.number}>{seconds(outboxAgeSeconds)}</span>
            </Figure>
          </dl>
        </>
      )}
    </li>
  );
};

/** The way of a message, left to right: how much goes through each stage, how far it is behind, what it has not yet passed on. */
export const Pipeline = ({ figures }: { readonly figures: PlatformFigures }): ReactNode => {
  const { t } = useTranslation();
  return (
    <section>
      <h2 className={classes.heading}>{t('platform.pipeline')}</h2>
      <ol className={classes.pipeline}>
        {figures.stages.map((view) => (
          <Stage
            key={view.stage}
            view={view}
            state={conditionOf(view.stage, figures.processes)}
            stepSeconds={figures.stepSeconds}
          />
        ))}
      </ol>
      <details className={classes.details}>
        <summary>{t('platform.asTable')}</summary>
        <div className={book.scroll} role="region" aria-label={t('platform.pipeline')} tabIndex={0}>
          <table className={book.book}>
            <caption className="ct-only-read">{t('platform.pipeline')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('platform.stageHead')}</th>
                {['rate', 'rateHighest', 'lagRecords', 'lagNow', 'lagHighest', 'outboxEvents', 'outboxAge'].map((head) => (
                  <th key={head} scope="col" className={book.figure}>
                    {t(`platform.head.${head}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {figures.stages.map((view) => (
                <tr key={view.stage}>
                  <td>{t(`platform.stage.${view.stage}`)}</td>
                  <td className={book.figure}>{rate(view.perSecond)}</td>
                  <td className={book.figure}>{rate(highest(view.history.perSecond))}</td>
                  <td className={book.figure}>{count(view.lagRecords)}</td>
                  <td className={book.figure}>{seconds(view.lagSeconds)}</td>
                  <td className={book.figure}>{seconds(highest(view.history.lagSeconds))}</td>
                  <td className={book.figure}>{count(view.outboxDepth)}</td>
                  <td className={book.figure}>{seconds(view.outboxAgeSeconds)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
};

import type { PlatformFigures, ReplayProofView } from '@centralita/contracts';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Mark } from '../shared/mark.js';
import { Seal, type SealState } from '../shared/seal.js';
import { dateAndTime } from '../shared/time.js';
import { bounds } from './attention.js';
import { count, seconds } from './figures.js';
import { Sparkline } from './sparkline.js';
import classes from './platform.module.css';

const sealOf = ({ verifiedAt, equal }: ReplayProofView): SealState =>
  verifiedAt === null || equal === null ? 'unchecked' : equal ? 'proven' : 'altered';

/** The last proof that what is shown can be rebuilt from the log and is the same, or that there was none. */
const Proof = ({ proof }: { readonly proof: ReplayProofView }): ReactNode => {
  const { t } = useTranslation();
  const state = sealOf(proof);
  return (
    <div className={classes.proof}>
      <Seal state={state} />
      <div>
        <p className={classes.proven}>{t(`platform.proof.${proof.of}`)}</p>
        <p>
          {proof.verifiedAt === null ? (
            t('platform.proof.never')
          ) : (
            <>
              <Mark state={proof.equal === null ? 'unknown' : proof.equal ? 'good' : 'bad'}>{t(`platform.proof.${state}`)}</Mark>{' '}
              <time dateTime={proof.verifiedAt}>{dateAndTime(proof.verifiedAt)}</time>
            </>
          )}
        </p>
      </div>
    </div>
  );
};

/** What the promises of the platform hang on: answers to the provider in time, a ledger that is sealed, proofs. */
export const Facts = ({ figures }: { readonly figures: PlatformFigures }): ReactNode => {
  const { t } = useTranslation();
  const { webhook, audit, replay } = figures;
  const minutes = webhook.windowSeconds / 60;
  return (
    <div className={classes.panes}>
      <section aria-labelledby="acks">
        <h2 id="acks" className={classes.heading}>
          {t('platform.ack.title')}
        </h2>
        <p className={classes.big}>
          <span className={classes.number}>{seconds(webhook.ackP50Seconds)}</span> {t('platform.ack.half')}{' '}
          <span className={classes.number}>{seconds(webhook.ackP99Seconds)}</span> {t('platform.ack.most')}
        </p>
        <Sparkline
          label={t('platform.ack.title')}
          history={webhook.history.ackP99Seconds}
          stepSeconds={figures.stepSeconds}
          goal={bounds.ack}
          format={seconds}
        />
        <p className={classes.remark}>
          {t('platform.ack.goal', { time: seconds(bounds.ack), n: minutes })}{' '}
          {webhook.signatureFailures === null
            ? ''
            : t('platform.ack.signatures', { count: webhook.signatureFailures, n: count(webhook.signatureFailures) })}
        </p>
      </section>
      <section aria-labelledby="ledger">
        <h2 id="ledger" className={classes.heading}>
          {t('platform.ledger.title')}
        </h2>
        <dl className={classes.facts}>
          <div>
            <dt>{t('platform.ledger.height')}</dt>
            <dd className={classes.number}>{count(audit.height)}</dd>
          </div>
          <div>
            <dt>{t('platform.ledger.checkpoint')}</dt>
            <dd className={classes.number} data-late={(audit.checkpointAgeSeconds ?? 0) > bounds.checkpoint || undefined}>
              {seconds(audit.checkpointAgeSeconds)}
            </dd>
          </div>
          <div>
            <dt>{t('platform.ledger.findings')}</dt>
            <dd className={classes.number} data-late={(audit.verifyFailures ?? 0) > 0 || undefined}>
              {count(audit.verifyFailures)}
            </dd>
          </div>
        </dl>
        <p className={classes.remark}>{t('platform.ledger.goal', { time: seconds(bounds.checkpoint) })}</p>
      </section>
      <section aria-labelledby="proofs">
        <h2 id="proofs" className={classes.heading}>
          {t('platform.proof.title')}
        </h2>
        {replay.map((proof) => (
          <Proof key={proof.of} proof={proof} />
        ))}
      </section>
    </div>
  );
};

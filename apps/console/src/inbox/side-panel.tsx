import { IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useConversation } from '../api/queries.js';
import { useNow } from '../shared/clock.js';
import { useAgentName, useQueueName } from '../shared/labels.js';
import { dateAndTime, timeOrDay } from '../shared/time.js';
import { DecisionTrace } from './decision-trace.js';
import { PhoneReveal } from './phone-reveal.js';
import classes from './side-panel.module.css';

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode => (
  <div className={classes.fact}>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** What is known about the open conversation, and why it is with whom it is. */
export const SidePanel = ({ id, onClose }: { readonly id: string; readonly onClose: () => void }): ReactNode => {
  const { t } = useTranslation();
  const agent = useAgentName();
  const queue = useQueueName();
  const now = useNow();
  const detail = useConversation(id, 'shows').data;
  return (
    <aside className={classes.panel} aria-label={t('side.title')}>
      <header className={classes.head}>
        <h2>{t('side.title')}</h2>
        <button type="button" className={classes.close} aria-label={t('ledger.close')} onClick={onClose}>
          <IconX size={16} stroke={1.5} aria-hidden="true" />
        </button>
      </header>
      {detail && (
        <div className={classes.body}>
          <PhoneReveal id={id} masked={detail.phoneMasked} erased={detail.erased} />
          <dl>
            <Fact name={t('side.number')}>{detail.businessNumber}</Fact>
            <Fact name={t('side.state')}>{t(`state.${detail.state}`)}</Fact>
            {detail.windowExpiresAt && (
              <Fact name={t('side.window')}>
                {Date.parse(detail.windowExpiresAt) > now
                  ? t('window.closesAt', { time: timeOrDay(detail.windowExpiresAt, now) })
                  : t('window.closedAt', { time: timeOrDay(detail.windowExpiresAt, now) })}
              </Fact>
            )}
            {detail.assignedAgentId && <Fact name={t('side.assigned')}>{agent(detail.assignedAgentId)}</Fact>}
            {detail.queueId && <Fact name={t('side.queue')}>{queue(detail.queueId) ?? detail.queueId.slice(0, 8)}</Fact>}
            {detail.language && <Fact name={t('side.language')}>{detail.language}</Fact>}
            <Fact name={t('side.caseLabel')}>{t('side.case', { n: detail.ordinal })}</Fact>
            <Fact name={t('side.opened')}>{dateAndTime(detail.openedAt)}</Fact>
            {detail.closedAt && <Fact name={t('side.closed')}>{dateAndTime(detail.closedAt)}</Fact>}
          </dl>
          <DecisionTrace taskId={id} />
        </div>
      )}
    </aside>
  );
};

import type { ThreadItem } from '@centralita/contracts';
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useAgentName } from '../shared/labels.js';
import { clockTime, longDay } from '../shared/time.js';
import { Media } from './media.js';
import { StatusMark } from './status.js';
import type { Outgoing } from './outbox.js';
import type { Line, Reaction } from './lines.js';
import classes from './message.module.css';

const Time = ({ at }: { readonly at: string }): ReactNode => (
  <time dateTime={at} title={new Date(at).toISOString()}>
    {clockTime(at)}
  </time>
);

const Words = ({ item }: { readonly item: ThreadItem }): ReactNode => {
  const { t, i18n } = useTranslation();
  if (item.erased) return <p className={classes.dim}>{t('inbox.erased')}</p>;
  const type = item.messageType ?? '';
  const empty = !item.text && !item.media && !item.location && item.contactNames.length === 0;
  return (
    <>
      {item.sender && (
        <p className={classes.sender} dir="auto">
          {item.sender}
        </p>
      )}
      {item.media && <Media media={item.media} type={item.messageType} />}
      {item.location && (
        <p>
          {t('thread.location')}: <span dir="auto">{item.location.name ?? ''}</span>{' '}
          <code>
            {item.location.latitude.toFixed(5)}, {item.location.longitude.toFixed(5)}
          </code>
        </p>
      )}
      {item.contactNames.length > 0 && (
        <p>
          {t('thread.contacts')}: <span dir="auto">{item.contactNames.join(', ')}</span>
        </p>
      )}
      {item.reactionTo ? (
        <p>{t('thread.reaction', { emoji: item.text ?? '' })}</p>
      ) : (
        item.text && (
          <p className={classes.text} dir="auto">
            {item.text}
          </p>
        )
      )}
      {empty && !item.reactionTo && (
        <p className={classes.dim}>
          {i18n.exists(`preview.${type}`) ? t(`preview.${type}`) : t('thread.unknownType', { type: type || '?' })}
        </p>
      )}
    </>
  );
};

const Reactions = ({ reactions }: { readonly reactions: readonly Reaction[] }): ReactNode => {
  const { t } = useTranslation();
  if (reactions.length === 0) return null;
  return (
    <span className={classes.reactions}>
      {reactions.map(({ emoji, from }) => (
        <span key={`${from} ${emoji}`} role="img" aria-label={t('thread.reaction', { emoji })}>
          {emoji}
        </span>
      ))}
    </span>
  );
};

/** One line of a thread: a day, what happened to the case, a note of the team, or words of the customer or ours. */
export const Message = ({ line, onWhy }: { readonly line: Line; readonly onWhy: () => void }): ReactNode => {
  const { t, i18n } = useTranslation();
  const agent = useAgentName();
  if (line.kind === 'day')
    return (
      <p className={classes.day}>
        <time dateTime={line.at}>{longDay(line.at)}</time>
      </p>
    );
  const { item, reactions } = line;
  if (item.kind === 'event') {
    const type = item.event?.type ?? '';
    return (
      <div className={classes.event}>
        <Time at={item.at} />
        <span>
          {i18n.exists(`thread.event.${type}`) ? t(`thread.event.${type}`) : type}
          {item.agentId ? `: ${agent(item.agentId)}` : ''}
        </span>
        {type === 'assigned' && (
          <button type="button" className={classes.why} onClick={onWhy}>
            {t('thread.why')}
          </button>
        )}
      </div>
    );
  }
  if (item.kind === 'note')
    return (
      <article className={classes.note}>
        <p className={classes.meta}>
          {t('thread.note')} · {item.agentId ? `${agent(item.agentId)} · ` : ''}
          <Time at={item.at} />
        </p>
        <Words item={item} />
      </article>
    );
  const side = item.kind === 'inbound' ? 'in' : 'out';
  return (
    <article className={classes.message} data-side={side} data-failed={item.status === 'failed' || item.status === 'refused'}>
      <div className={classes.bubble}>
        <Words item={item} />
        <Reactions reactions={reactions} />
      </div>
      <p className={classes.meta}>
        {side === 'out' && item.agentId && <span>{agent(item.agentId)}</span>}
        {item.kind === 'echo' && <span>{t('thread.echo')}</span>}
        <Time at={item.at} />
        {item.status && <StatusMark status={item.status} code={item.statusCode} />}
      </p>
    </article>
  );
};

/** A reply that has not come back in the thread yet. */
export const OutgoingMessage = ({ entry, onRetry }: { readonly entry: Outgoing; readonly onRetry: () => void }): ReactNode => {
  const { t } = useTranslation();
  return (
    <article className={classes.message} data-side="out" data-failed={entry.state === 'offline'}>
      <div className={classes.bubble}>
        <p className={classes.text} dir="auto">
          {entry.text}
        </p>
      </div>
      <p className={classes.meta}>
        <Time at={entry.at} />
        {entry.state === 'offline' ? (
          <>
            <span className={classes.failed}>{t('status.waitsForYou')}</span>
            <Button size="xs" variant="default" onClick={onRetry}>
              {t('problem.retry')}
            </Button>
          </>
        ) : (
          <StatusMark status={entry.state === 'accepted' ? 'accepted' : 'requested'} code={null} />
        )}
      </p>
    </article>
  );
};

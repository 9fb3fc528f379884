import type { Offer } from '@centralita/contracts';
import type { z } from 'zod';
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { noteCause } from '../api/causes.js';
import { command } from '../api/client.js';
import { useMe } from '../api/queries.js';
import { announce } from '../shared/announcer.js';
import { serverNow, useNow } from '../shared/clock.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { useShortcut } from '../shared/shortcut.js';
import { minutesSeconds, roughly } from '../shared/time.js';
import { WindowChip } from '../shared/window-line.js';
import { drafts } from './drafts.js';
import { useKnownName } from './names.js';
import { useOfferSignal } from './offer-signal.js';
import { openOffers } from './offers.js';
import { useWrapUps, WrapUp } from './wrap-up.js';
import classes from './offer-dock.module.css';

type OneOffer = z.infer<typeof Offer>;
const SHOWN = 3;
const ENDED_MS = 4000;

/** Why this agent, in a few words. */
const useWhy = (): ((offer: OneOffer) => string) => {
  const { t, i18n } = useTranslation();
  return ({ why }) => {
    const skills = new Intl.ListFormat(i18n.language).format(why.skills);
    const rule = why.rule.startsWith('transfer-target') ? t('offer.transfer') : t('offer.idle');
    return why.skills.length === 0 ? rule : `${t('offer.skills', { skills })}, ${rule}`;
  };
};

/** Remembers offers that went away by themselves, for a moment: a thing that disappears must say why. */
const useEnded = (offers: readonly OneOffer[], answered: ReadonlySet<string>): boolean => {
  const [ended, setEnded] = useState(false);
  const before = useRef<readonly string[]>([]);
  const ids = offers.map(({ reservationId }) => reservationId).join();
  useEffect(() => {
    const now = ids === '' ? [] : ids.split(',');
    const gone = before.current.some((id) => !now.includes(id) && !answered.has(id));
    before.current = now;
    if (gone) setEnded(true);
  }, [ids, answered]);
  useEffect(() => {
    if (!ended) return undefined;
    const timer = setTimeout(() => setEnded(false), ENDED_MS);
    return () => clearTimeout(timer);
  }, [ended]);
  return ended;
};

/** Offers at the foot of the list: they push it up and cover nothing, never take the focus, and end on the server's clock. */
export const OfferDock = (): ReactNode => {
  const { t } = useTranslation();
  const now = useNow();
  const why = useWhy();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { conversation = null } = useParams({ strict: false });
  const me = useMe(true);
  const [answered, setAnswered] = useState<ReadonlySet<string>>(new Set());
  const offers = openOffers(me.data?.offers ?? [], answered, now);
  const ended = useEnded(offers, answered);
  const wraps = useWrapUps();
  const nameOf = useKnownName();

  const answer = useMutation({
    mutationFn: ({ offer, verb }: { readonly offer: OneOffer; readonly verb: 'accept' | 'decline' }) =>
      command('POST', `/v1/offers/${offer.reservationId}/${verb}`, {}),
    onMutate: ({ offer }) => setAnswered((known) => new Set([...known, offer.reservationId])),
    onSuccess: ({ causalToken }, { offer, verb }) => {
      if (verb !== 'accept') return;
      noteCause(offer.conversationId, causalToken);
      // Whoever is writing stays where they are; the new conversation waits in the list.
      if (conversation !== null && drafts.has(conversation)) return;
      void navigate({ to: '/inbox/$view/$conversation', params: { view: 'mine', conversation: offer.conversationId } });
    },
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['me'] });
      await client.invalidateQueries({ queryKey: ['inbox'] });
    },
  });
  const [first] = offers;
  useShortcut('KeyY', () => first && answer.mutate({ offer: first, verb: 'accept' }));

  useOfferSignal(first?.reservationId ?? null, t('offer.title'), first?.queueName ?? t('offer.noQueue'));
  const told = useRef<string | null>(null);
  useEffect(() => {
    if (!first || told.current === first.reservationId) return;
    told.current = first.reservationId;
    announce(
      `${t('offer.title')}. ${t('offer.queue', {
        queue: first.queueName ?? t('offer.noQueue'),
        wait: roughly(serverNow() - Date.parse(first.waitingSince)),
      })}. Alt+Y: ${t('offer.accept')}`,
    );
  }, [first, t]);

  const hidden = offers.length - Math.min(offers.length, SHOWN);
  return (
    <section className={classes.dock} aria-label={t('offer.label')}>
      {[...wraps].map(([id, until]) => (
        <WrapUp key={id} conversation={id} until={until} name={nameOf(id)} />
      ))}
      {ended && (
        <p className={classes.ended} role="status">
          {t('offer.gone')}
        </p>
      )}
      {answer.error && <ProblemNotice error={answer.error} />}
      {offers.slice(0, SHOWN).map((offer, position) => {
        const left = Math.max(0, Date.parse(offer.expiresAt) - now);
        const whole = Date.parse(offer.expiresAt) - Date.parse(offer.offeredAt);
        const queue = t('offer.queue', {
          queue: offer.queueName ?? t('offer.noQueue'),
          wait: roughly(now - Date.parse(offer.waitingSince)),
        });
        return (
          <article key={offer.reservationId} className={classes.offer} aria-label={`${t('offer.title')}: ${queue}`}>
            <p className={classes.head}>
              <strong>{t('offer.title')}</strong>
              <time role="timer" aria-live="off" className={classes.left} data-late={left < 5000}>
                {minutesSeconds(left)}
              </time>
            </p>
            <p className={classes.facts}>
              <span>
                {queue}
                {offer.language ? `, ${offer.language}` : ''}
              </span>
              {offer.windowExpiresAt && <WindowChip expiresAt={offer.windowExpiresAt} />}
            </p>
            {position === 0 && <p className={classes.why}>{t('offer.why', { why: why(offer) })}</p>}
            <span className={classes.gauge} aria-hidden="true">
              <span style={{ width: `${Math.min(100, (left / Math.max(1, whole)) * 100)}%` }} />
            </span>
            <div className={classes.buttons}>
              <Button size="xs" onClick={() => answer.mutate({ offer, verb: 'accept' })}>
                {t('offer.accept')}
              </Button>
              <Button size="xs" variant="default" onClick={() => answer.mutate({ offer, verb: 'decline' })}>
                {t('offer.decline')}
              </Button>
              {position === 0 && <span className={classes.key}>Alt Y</span>}
            </div>
          </article>
        );
      })}
      {hidden > 0 && <p className={classes.more}>{t('offer.more', { count: hidden })}</p>}
    </section>
  );
};

import type { Me } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { command } from '../api/client.js';
import { useMe } from '../api/queries.js';
import { useNow } from '../shared/clock.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { minutesSeconds } from '../shared/time.js';
import { useActor } from '../shell/session.js';
import classes from './wrap-up.module.css';

/** Wrap-ups of the own desk that still run: by conversation, when they end by themselves. A task has the id of its conversation. */
export const wrapUps = (tasks: Me['tasks'], now: number): ReadonlyMap<string, number> =>
  new Map(
    tasks.flatMap(({ taskId, state, wrapUpUntil }) => {
      const until = wrapUpUntil === null ? 0 : Date.parse(wrapUpUntil);
      return state === 'wrapping' && until > now ? [[taskId, until] as const] : [];
    }),
  );

export const useWrapUps = (): ReadonlyMap<string, number> => {
  const now = useNow();
  return wrapUps(useMe(useActor().roles.includes('agent')).data?.tasks ?? [], now);
};

/** `Wrapping up 0:12`: how long the closed conversation still takes a place of the agent's. */
export const WrapUpTime = ({ until }: { readonly until: number }): ReactNode => {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <span className={classes.time}>
      {t('offer.wrapping')} <time>{minutesSeconds(Math.max(0, until - now))}</time>
    </span>
  );
};

/** The rest of a wrap-up, with the way back to the conversation when it has a name here, and the way to end it: the place is free at once. */
export const WrapUp = ({
  conversation,
  until,
  name,
}: {
  readonly conversation: string;
  readonly until: number;
  readonly name?: string | undefined;
}): ReactNode => {
  const { t } = useTranslation();
  const client = useQueryClient();
  const finish = useMutation({
    mutationFn: () => command('POST', `/v1/tasks/${conversation}/complete`, {}),
    onSettled: () => client.invalidateQueries({ queryKey: ['me'] }),
  });
  return (
    <div className={classes.strip}>
      <span className={classes.what}>
        <WrapUpTime until={until} />
        {name !== undefined && (
          <Link to="/inbox/$view/$conversation" params={{ view: 'closed', conversation }} className={classes.name} dir="auto">
            {name}
          </Link>
        )}
      </span>
      <Button size="xs" variant="default" disabled={finish.isPending || finish.isSuccess} onClick={() => finish.mutate()}>
        {t('offer.finish')}
      </Button>
      {finish.error && <ProblemNotice error={finish.error} onRetry={() => finish.mutate()} />}
    </div>
  );
};

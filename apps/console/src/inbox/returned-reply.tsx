import type { ThreadItem } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useQueryClient, type InfiniteData } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Page } from '../api/pages.js';
import { useNow } from '../shared/clock.js';
import { useProblemText } from '../shared/problem-notice.js';
import { roughly } from '../shared/time.js';
import { outbox, type Returned } from './outbox.js';
import classes from './composer.module.css';

/** A reply that did not go out: its text, why, and what can be done with it. Nothing that somebody wrote is lost. */
export const ReturnedReply = ({
  returned,
  id,
  onEdit,
}: {
  readonly returned: Returned;
  readonly id: string;
  readonly onEdit: () => void;
}): ReactNode => {
  const { t } = useTranslation();
  const now = useNow();
  const problem = useProblemText();
  const client = useQueryClient();
  const { code } = returned.error.problem;
  const loaded = client.getQueryData<InfiniteData<Page<ThreadItem>>>(['thread', id]);
  const other = loaded?.pages[0]?.items.find(({ kind }) => kind === 'reply' || kind === 'echo');
  const conflict = code === 'VERSION_CONFLICT';
  return (
    <div className={classes.returned} role="alert">
      <p>
        {conflict && other ? t('composer.conflict', { time: roughly(now - Date.parse(other.at)) }) : problem(returned.error)}
        <span className={classes.code}> {t('problem.code', { code })}</span>
      </p>
      {conflict && other?.text && (
        <p className={classes.quote} dir="auto">
          {other.text}
        </p>
      )}
      <p className={classes.back} dir="auto">
        {returned.text}
      </p>
      <div className={classes.actions}>
        {conflict && (
          <Button size="xs" onClick={() => outbox.send(id, returned.body, returned.text)}>
            {t('composer.sendAnyway')}
          </Button>
        )}
        <Button size="xs" variant="default" onClick={onEdit}>
          {t('composer.edit')}
        </Button>
        <Button size="xs" variant="default" onClick={() => outbox.forget(id)}>
          {t('composer.discard')}
        </Button>
      </div>
    </div>
  );
};

import { Button, Modal, NativeSelect } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { command } from '../api/client.js';
import { useAgents, useQueues } from '../api/queries.js';
import { Choice } from '../shared/choice.js';
import { useFocusBack } from '../shared/focus-back.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { useActor } from '../shell/session.js';
import classes from './conversation.module.css';

/** Hands the conversation to a queue or to a colleague. */
export const Transfer = ({
  id,
  onClose,
  onDone,
}: {
  readonly id: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}): ReactNode => {
  const { t } = useTranslation();
  const { actorId } = useActor();
  useFocusBack();
  const queues = useQueues();
  const agents = useAgents();
  const [to, setTo] = useState<'queue' | 'agent'>('queue');
  const [chosen, setChosen] = useState<string | null>(null);
  const targets =
    to === 'queue'
      ? (queues.data?.items.map(({ queueId, name }) => ({ value: queueId, label: name })) ?? [])
      : (agents.data?.items
          .filter(({ agentId }) => agentId !== actorId)
          .map(({ agentId, label }) => ({ value: agentId, label })) ?? []);
  const target = targets.find(({ value }) => value === chosen)?.value ?? targets[0]?.value ?? null;
  const transfer = useMutation({
    mutationFn: (target: string) =>
      command('POST', `/v1/conversations/${id}/transfer`, to === 'queue' ? { toQueueId: target } : { toAgentId: target }),
    onSuccess: onDone,
  });
  const failed = queues.error ?? agents.error ?? transfer.error;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('actions.transfer')}
      closeButtonProps={{ 'aria-label': t('actions.cancel') }}
      centered
    >
      <form
        className={classes.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          if (target !== null) transfer.mutate(target);
        }}
      >
        <Choice
          label={t('actions.target')}
          hideLabel
          value={to}
          options={[
            { value: 'queue', label: t('actions.toQueue') },
            { value: 'agent', label: t('actions.toAgent') },
          ]}
          onChange={setTo}
        />
        <NativeSelect
          label={t(to === 'queue' ? 'actions.toQueue' : 'actions.toAgent')}
          data={targets}
          value={target ?? ''}
          onChange={(event) => setChosen(event.target.value)}
          data-autofocus
        />
        {failed && <ProblemNotice error={failed} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('actions.cancel')}
          </Button>
          <Button type="submit" disabled={target === null || transfer.isPending}>
            {t('actions.transfer')}
          </Button>
        </div>
      </form>
    </Modal>
  );
};

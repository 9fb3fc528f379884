import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { useAgents, useQueues } from '../api/queries.js';
import { useActor } from '../shell/session.js';

/** Name of an agent as routing knows it: a pseudonym. The start of the id when it is not known. */
export const useAgentName = (): ((id: string) => string) => {
  const { t } = useTranslation();
  const agents = useAgents();
  const { actorId } = useActor();
  const items = agents.data?.items;
  return useCallback(
    (id) => (id === actorId ? t('inbox.you') : (items?.find(({ agentId }) => agentId === id)?.label ?? id.slice(0, 8))),
    [items, actorId, t],
  );
};

export const useQueueName = (): ((id: string | null) => string | null) => {
  const queues = useQueues();
  const items = queues.data?.items;
  return useCallback((id) => items?.find(({ queueId }) => queueId === id)?.name ?? null, [items]);
};

import type { Me } from '@centralita/contracts';
import { toInstant, toInstantOrNull, type Queue, type Task } from '@centralita/domain-routing';
import type { Decision } from '../read/queries.js';

type Offer = Me['offers'][number];
type InHand = Me['tasks'][number];

/** Open offers among somebody's tasks, the nearest deadline first. */
export const offersOf = (
  tasks: readonly Task[],
  decisions: ReadonlyMap<string, Decision>,
  queues: ReadonlyMap<string, Queue>,
): Offer[] =>
  tasks
    .flatMap((task): Offer[] => {
      if (task.phase.name !== 'offered') return [];
      const { reservationId, decisionId, offeredAt, expiresAt } = task.phase;
      const decision = decisions.get(decisionId);
      const step = decision?.step ?? 1;
      const queue = task.queueId === null ? undefined : queues.get(task.queueId);
      // The language was asked for only in the first ring of a queue that routes by language.
      const spoken = queue?.languageSkill && step === 1 && task.language !== null ? [task.language] : [];
      return [
        {
          reservationId,
          taskId: task.taskId,
          conversationId: task.conversationId,
          queueId: task.queueId,
          queueName: queue?.name ?? null,
          language: task.language,
          waitingSince: toInstant(task.queuedAt),
          offeredAt: toInstant(offeredAt),
          expiresAt: toInstant(expiresAt),
          windowExpiresAt: toInstantOrNull(task.windowExpiresAt),
          why: { rule: decision?.rule ?? '', skills: [...task.requiredSkills, ...spoken], step },
        },
      ];
    })
    .sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1));

/** What somebody works on or wraps up, the oldest first. */
export const tasksInHand = (tasks: readonly Task[]): InHand[] =>
  tasks
    .flatMap((task): InHand[] => {
      const { phase } = task;
      if (phase.name !== 'assigned' && phase.name !== 'wrapping') return [];
      const wrapUpUntil = phase.name === 'wrapping' ? toInstant(phase.until) : null;
      return [{ taskId: task.taskId, state: phase.name, since: toInstant(phase.since), wrapUpUntil }];
    })
    .sort((a, b) => (a.since < b.since ? -1 : 1));

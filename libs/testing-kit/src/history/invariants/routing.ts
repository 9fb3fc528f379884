import type { Examination } from '../examination.js';
import type { History } from '../history.js';

type Desk = { capacity: number; tasks: Set<string> };

/** 12: replays each domain in its recorded order and looks at every desk after every step. */
export const capacity = (history: History, examination: Examination): void => {
  for (const [domain, steps] of Map.groupBy(history.routing, (step) => step.domain)) {
    const desks = new Map<string, Desk>();
    const holder = new Map<string, { agent: string; as: 'offered' | 'assigned' }>();
    for (const { position, kind, agent, task, capacity: granted } of [...steps].sort(
      (left, right) => left.position - right.position,
    )) {
      const desk = desks.get(agent) ?? { capacity: 0, tasks: new Set<string>() };
      desks.set(agent, desk);
      const at = `domain ${domain}, position ${position}`;
      if (kind === 'capacity') desk.capacity = granted ?? 0;
      else if (task !== null) {
        const held = holder.get(task);
        if (kind === 'released') {
          if (held?.agent === agent) holder.delete(task);
          desk.tasks.delete(task);
        } else {
          const mayTake = !held || (kind === 'assigned' && held.agent === agent && held.as === 'offered');
          examination.expect(12, mayTake, () => `${at}: task ${task} is ${kind} to ${agent} while ${held?.agent} has it`);
          holder.set(task, { agent, as: kind });
          desk.tasks.add(task);
          // A capacity that was lowered takes nothing away: it only forbids more.
          examination.expect(
            12,
            desk.tasks.size <= desk.capacity,
            () => `${at}: agent ${agent} holds ${desk.tasks.size} of ${desk.capacity}`,
          );
        }
      }
    }
  }
};

/** 13. */
export const sameDecisions = (history: History, examination: Examination): void => {
  for (const { domain, position, recorded, redecided } of history.decisions)
    examination.expect(
      13,
      recorded === redecided,
      () => `domain ${domain}, position ${position}: another decision when decided again`,
    );
};

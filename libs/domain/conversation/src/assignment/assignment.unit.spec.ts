import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evolveAssignment, unassigned, type Assignment, type TaskEvent } from './assignment.js';
import { rightToLook, type Viewer } from './visibility.js';

const now = '2026-11-23T10:00:00.000Z';
const task = { taskId: 'c', conversationId: 'c', subjectId: 's' };
const reservation = { ...task, reservationId: 'r', agentId: 'ana' };
const queued: TaskEvent = {
  type: 'task.queued.v1',
  data: {
    ...task,
    ...{ queueId: 'q', requiredSkills: [], language: null, priority: 0, windowExpiresAt: null },
    ...{ targetAgentId: null, queuedAt: now, cause: 'opened' },
  },
};
const offered: TaskEvent = {
  type: 'reservation.offered.v1',
  data: { ...reservation, decisionId: 'd', offeredAt: now, expiresAt: now },
};
const accepted: TaskEvent = { type: 'reservation.accepted.v1', data: { ...reservation, acceptedAt: now } };
const declined: TaskEvent = { type: 'reservation.declined.v1', data: { ...reservation, declinedAt: now } };
const expired: TaskEvent = { type: 'reservation.expired.v1', data: { ...reservation, expiredAt: now } };
const rescinded: TaskEvent = {
  type: 'reservation.rescinded.v1',
  data: { ...reservation, rescindedAt: now, cause: 'task_ended' },
};
const assigned: TaskEvent = {
  type: 'task.assigned.v1',
  data: { ...reservation, decisionId: 'd', queueId: 'q', assignedAt: now },
};
const transferred: TaskEvent = {
  type: 'task.transferred.v1',
  data: { ...task, transferId: 't', fromAgentId: 'ana', toQueueId: 'q2', toAgentId: null, transferredAt: now },
};
const wrapping: TaskEvent = { type: 'task.wrapping.v1', data: { ...task, agentId: 'ana', wrapUpUntil: now } };
const released: TaskEvent = { type: 'task.released.v1', data: { ...task, agentId: 'ana', releasedAt: now } };
const completed: TaskEvent = { type: 'task.completed.v1', data: { ...task, agentId: 'ana', completedAt: now } };
const all = [queued, offered, accepted, declined, expired, rescinded, assigned, transferred, wrapping, released, completed];

const given = (...events: readonly TaskEvent[]): Assignment =>
  events.reduce((state, event, index) => evolveAssignment(state, event, index + 1), unassigned);

describe('the assignment that routing decided', () => {
  it('waits, is offered, is taken', () => {
    expect(given(queued)).toMatchObject({ queueId: 'q', agentId: null, waitingSince: now, version: 0 });
    expect(given(queued, offered)).toMatchObject({ offeredAgentId: 'ana', agentId: null });
    expect(given(queued, offered, accepted, assigned)).toEqual({
      ...{ queueId: 'q', agentId: 'ana', lastAgentId: 'ana', offeredAgentId: null, waitingSince: null, version: 1, seen: 4 },
    });
  });
  it.each([declined, expired, rescinded])('an offer ends: $type', (end) => {
    expect(given(queued, offered, end)).toMatchObject({ offeredAgentId: null, agentId: null, waitingSince: now });
  });
  it('stays through wrap-up and ends with it', () => {
    expect(given(queued, assigned, wrapping)).toMatchObject({ agentId: 'ana', version: 1 });
    expect(given(queued, assigned, wrapping, completed)).toMatchObject({ agentId: null, lastAgentId: 'ana', version: 2 });
    expect(given(queued, assigned, released)).toMatchObject({ agentId: null, version: 2 });
  });
  it('a transfer takes it from the agent and queues it', () => {
    expect(given(queued, assigned, transferred, queued)).toMatchObject({
      agentId: null,
      queueId: 'q',
      waitingSince: now,
      version: 2,
    });
  });
  it('is the same when every event comes twice or late ones come again', () => {
    const history = fc.array(fc.constantFrom(...all), { maxLength: 15 });
    fc.assert(
      fc.property(history, fc.array(fc.nat(14)), (events, again) => {
        const repeated = again
          .filter((index) => index < events.length)
          .reduce(
            (state, index) => evolveAssignment(state, events[index] as TaskEvent, index + 1),
            events.reduce((state, event, index) => {
              const once = evolveAssignment(state, event, index + 1);
              return evolveAssignment(once, event, index + 1);
            }, unassigned),
          );
        expect(repeated).toEqual(given(...events));
      }),
    );
  });
});

describe('who may look', () => {
  const ana: Viewer = { id: 'ana', supervisor: false, queueIds: ['q'] };
  const stranger: Viewer = { id: 'bea', supervisor: false, queueIds: ['q2'] };
  const colleague: Viewer = { id: 'carla', supervisor: false, queueIds: ['q'] };
  const supervisor: Viewer = { id: 'dora', supervisor: true, queueIds: [] };
  const look = (viewer: Viewer, closed: boolean, ...events: readonly TaskEvent[]) =>
    rightToLook(viewer, { assignment: given(...events), closed });
  it.each([
    ['the assigned agent', look(ana, false, queued, assigned), 'ASSIGNED_CONVERSATION'],
    ['the assigned agent in wrap-up', look(ana, true, queued, assigned, wrapping), 'ASSIGNED_CONVERSATION'],
    ['the last agent, once closed', look(ana, true, queued, assigned, completed), 'ASSIGNED_CONVERSATION'],
    ['a colleague of the queue, while it waits', look(colleague, false, queued), 'QUEUE_TRIAGE'],
    ['a colleague of the queue, once assigned', look(colleague, false, queued, assigned), null],
    ['a colleague of the queue, once closed', look(colleague, true, queued), null],
    ['an agent to whom it is offered', look(ana, false, queued, offered), 'QUEUE_TRIAGE'],
    ['an agent of another queue', look(stranger, false, queued), null],
    ['an agent, while no queue serves it', look(colleague, false), null],
    ['a supervisor', look(supervisor, true, queued), 'SUPERVISION_QA'],
  ])('%s', (_, right, expected) => {
    expect(right).toBe(expected);
  });
});

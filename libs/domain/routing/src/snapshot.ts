import type { Millis } from './instants.js';
import type { Agent, Policy, Queue, RoutingState, Task } from './state.js';

/**
 * Goes up with every change of the fold or of the state's shape after which the same events give another state: a snapshot of another
 * version is not read, and the domain is folded from its first event once. A spec pins what this version gives.
 */
export const FOLD_VERSION = 1;

/** The state of a task as JSON: the one member that JSON cannot hold becomes a list of pairs. */
export type TaskJson = Omit<Task, 'refusals'> & { readonly refusals: readonly (readonly [string, Millis])[] };

export const taskToJson = (task: Task): TaskJson => ({ ...task, refusals: [...task.refusals] });
export const taskFromJson = (json: TaskJson): Task => ({ ...json, refusals: new Map(json.refusals) });

/** A state as JSON. Lists keep the order of the maps, which is that of the events. */
export type StateJson = {
  readonly position: number;
  readonly agents: readonly Agent[];
  readonly queues: readonly Queue[];
  readonly tasks: readonly TaskJson[];
  readonly offers: readonly (readonly [reservationId: string, taskId: string])[];
  readonly policy: Policy;
};

export const stateToJson = (state: RoutingState): StateJson => ({
  position: state.position,
  agents: [...state.agents.values()],
  queues: [...state.queues.values()],
  tasks: [...state.tasks.values()].map(taskToJson),
  offers: [...state.offers],
  policy: state.policy,
});

export const stateFromJson = (json: StateJson): RoutingState => ({
  position: json.position,
  agents: new Map(json.agents.map((agent) => [agent.agentId, agent])),
  queues: new Map(json.queues.map((queue) => [queue.queueId, queue])),
  tasks: new Map(json.tasks.map((task) => [task.taskId, taskFromJson(task)])),
  offers: new Map(json.offers),
  policy: json.policy,
});

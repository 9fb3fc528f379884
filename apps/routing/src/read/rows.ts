import type { Agent, Millis, Policy, Queue, Task } from '@centralita/domain-routing';

/** The state of a task as JSON: the one member that JSON cannot hold becomes a list of pairs. */
export type TaskJson = Omit<Task, 'refusals'> & { readonly refusals: readonly (readonly [string, Millis])[] };

export const taskToJson = (task: Task): TaskJson => ({ ...task, refusals: [...task.refusals] });
export const taskFromJson = (json: TaskJson): Task => ({ ...json, refusals: new Map(json.refusals) });

export type AgentRow = { readonly state: Agent; readonly version: string };
export type QueueRow = { readonly state: Queue; readonly version: string };
export type PolicyRow = { readonly state: Policy; readonly version: string };
export type TaskRow = { readonly phase: string; readonly state: TaskJson };

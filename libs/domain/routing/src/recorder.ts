import type { RoutingEvent } from './events.js';
import { applyTo, draftOf, type Draft } from './evolve.js';
import type { Millis } from './instants.js';
import type { RoutingInput } from './inputs.js';
import type { RoutingState, Task } from './state.js';

/** Makes an id from a name: the same name, the same id (a UUIDv5 in the domain's namespace). */
export type DeriveId = (name: string) => string;

/** Collects the events of one input; each is applied at once, so that the next rule sees its effect. */
export class Recorder {
  readonly events: RoutingEvent[] = [];
  readonly state: Draft;

  constructor(
    state: RoutingState,
    /** When the input came: see `RoutingInput`. */
    readonly receivedAt: Millis,
    /** When it is decided, the time of all that happens. */
    readonly at: Millis,
    private readonly derive: DeriveId,
  ) {
    this.state = draftOf(state);
  }

  record(event: RoutingEvent): void {
    applyTo(this.state, event);
    this.events.push(event);
  }

  /** Id for what the next event begins: from the task and the position in the domain, so that a second run gives it again. */
  newId(kind: string, taskId: string): string {
    return this.derive(`${kind}:${taskId}:${this.state.position + 1}`);
  }
}

/** The names that every event of a task carries. */
export const namesOf = (task: Task): { taskId: string; conversationId: string; subjectId: string } => ({
  taskId: task.taskId,
  conversationId: task.conversationId,
  subjectId: task.subjectId,
});

export type Handler<Kind extends RoutingInput['kind']> = (
  recorder: Recorder,
  input: Extract<RoutingInput, { kind: Kind }>,
) => Refusal | undefined;

/** Why an input changed nothing that its sender could expect. Codes of `PlatformError`. */
export type Refusal = {
  readonly code: 'AGENT_UNKNOWN' | 'OFFER_GONE' | 'NOT_FOUND' | 'NOT_ASSIGNED' | 'VALIDATION_FAILED';
  readonly reason: string;
};

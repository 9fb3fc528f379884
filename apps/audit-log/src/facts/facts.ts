/** Who a conversation was assigned to, as routing decided it. Instants are milliseconds. */
export type Assignment = {
  readonly conversationId: string;
  readonly agentId: string;
  readonly subject: string | null;
  readonly from: number;
  readonly until: number | null;
  readonly assignedEvent: string;
  readonly endedEvent: string | null;
};
export type TaskQueue = {
  readonly conversationId: string;
  readonly subject: string | null;
  readonly queueId: string | null;
  readonly since: number;
  readonly eventId: string;
};
export type AgentQueues = {
  readonly agentId: string;
  readonly queueIds: readonly string[];
  readonly since: number;
  readonly eventId: string;
};

export type KnownFacts = {
  readonly assignments: readonly Assignment[];
  readonly queues: readonly TaskQueue[];
  readonly agents: readonly AgentQueues[];
  /** Customers, by commitment, whose decisions are parked: what is known of them is not all that was decided. */
  readonly parked?: ReadonlySet<string>;
};

/** What a reason is about: a conversation, or, where the record names none, a customer by commitment. */
export type Target = { readonly conversationId: string | null; readonly subject: string | null };

const bySince = (a: { readonly since: number }, b: { readonly since: number }): number => a.since - b.since;

/** By conversation and by customer: a list asks once for each of its customers. */
class ByTarget<Fact extends { readonly conversationId: string; readonly subject: string | null }> {
  readonly #ofConversation: ReadonlyMap<string, readonly Fact[]>;
  readonly #ofSubject: ReadonlyMap<string | null, readonly Fact[]>;

  constructor(facts: readonly Fact[]) {
    this.#ofConversation = Map.groupBy(facts, ({ conversationId }) => conversationId);
    this.#ofSubject = Map.groupBy(facts, ({ subject }) => subject);
  }

  of({ conversationId, subject }: Target): readonly Fact[] {
    if (conversationId !== null) return this.#ofConversation.get(conversationId) ?? [];
    return (subject === null ? undefined : this.#ofSubject.get(subject)) ?? [];
  }
}

/** What routing had decided, as the sequencer knows it, in the shape in which reasons ask for it. */
export class Facts {
  readonly #assignments: ByTarget<Assignment>;
  readonly #queues: ByTarget<TaskQueue>;
  readonly #agents: ReadonlyMap<string, readonly AgentQueues[]>;

  readonly #parked: ReadonlySet<string>;

  constructor({ assignments, queues, agents, parked = new Set() }: KnownFacts) {
    this.#parked = parked;
    this.#assignments = new ByTarget(assignments);
    this.#queues = new ByTarget([...queues].sort(bySince));
    this.#agents = Map.groupBy([...agents].sort(bySince), ({ agentId }) => agentId);
  }

  assignments(target: Target): readonly Assignment[] {
    return this.#assignments.of(target);
  }

  /** The queues that owned each conversation, one after the other. */
  queues(target: Target): readonly (readonly TaskQueue[])[] {
    return [...Map.groupBy(this.#queues.of(target), ({ conversationId }) => conversationId).values()];
  }

  /**
   * Whether something that routing decided about the target may be missing. Of a conversation nothing may be known at all, not even
   * whose it is: then it may be that of anybody who is parked.
   */
  incomplete({ conversationId, subject }: Target): boolean {
    if (conversationId === null) return subject !== null && this.#parked.has(subject);
    const target = { conversationId, subject };
    const known = [...this.#assignments.of(target), ...this.#queues.of(target)];
    return known.length === 0
      ? this.#parked.size > 0
      : known.some((fact) => fact.subject !== null && this.#parked.has(fact.subject));
  }

  /** The definitions of an agent, one after the other. */
  agent(agentId: string): readonly AgentQueues[] {
    return this.#agents.get(agentId) ?? [];
  }
}

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

/** Customers by commitment: one has written in the conversations of the other, a group. */
export type Participation = { readonly subject: string; readonly owner: string };

export type KnownFacts = {
  readonly assignments: readonly Assignment[];
  readonly queues: readonly TaskQueue[];
  readonly agents: readonly AgentQueues[];
  readonly participations?: readonly Participation[];
  /** Customers, by commitment, whose decisions are parked: what is known of them is not all that was decided. */
  readonly parked?: ReadonlySet<string>;
};

/**
 * What a reason is about: a conversation, or, where the record names none, a customer by commitment, who may have been seen in a
 * conversation of their own or in that of a group.
 */
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

  ofConversation(conversationId: string): readonly Fact[] {
    return this.#ofConversation.get(conversationId) ?? [];
  }

  ofSubjects(subjects: readonly string[]): readonly Fact[] {
    return subjects.flatMap((subject) => this.#ofSubject.get(subject) ?? []);
  }
}

/** What routing had decided, as the sequencer knows it, in the shape in which reasons ask for it. */
export class Facts {
  readonly #assignments: ByTarget<Assignment>;
  readonly #queues: ByTarget<TaskQueue>;
  readonly #agents: ReadonlyMap<string, readonly AgentQueues[]>;
  readonly #participations: ReadonlyMap<string, readonly Participation[]>;
  readonly #parked: ReadonlySet<string>;

  constructor({ assignments, queues, agents, participations = [], parked = new Set() }: KnownFacts) {
    this.#parked = parked;
    this.#assignments = new ByTarget(assignments);
    this.#queues = new ByTarget([...queues].sort(bySince));
    this.#agents = Map.groupBy([...agents].sort(bySince), ({ agentId }) => agentId);
    this.#participations = Map.groupBy(participations, ({ subject }) => subject);
  }

  assignments(target: Target): readonly Assignment[] {
    return this.#of(this.#assignments, target);
  }

  /** The queues that owned each conversation, one after the other. */
  queues(target: Target): readonly (readonly TaskQueue[])[] {
    return [...Map.groupBy(this.#of(this.#queues, target), ({ conversationId }) => conversationId).values()];
  }

  /**
   * Whether something that allows a look at the target may be missing. Of a conversation nothing may be known at all, not even whose
   * it is: then it may be that of anybody who is parked. Nor is it known who has written in the groups that are parked.
   */
  incomplete({ conversationId }: Target): boolean {
    if (conversationId === null) return this.#parked.size > 0;
    const known = [...this.#assignments.ofConversation(conversationId), ...this.#queues.ofConversation(conversationId)];
    return known.length === 0
      ? this.#parked.size > 0
      : known.some((fact) => fact.subject !== null && this.#parked.has(fact.subject));
  }

  #of<Fact extends { readonly conversationId: string; readonly subject: string | null }>(
    facts: ByTarget<Fact>,
    { conversationId, subject }: Target,
  ): readonly Fact[] {
    if (conversationId !== null) return facts.ofConversation(conversationId);
    if (subject === null) return [];
    return facts.ofSubjects([subject, ...(this.#participations.get(subject) ?? []).map(({ owner }) => owner)]);
  }

  /** The definitions of an agent, one after the other. */
  agent(agentId: string): readonly AgentQueues[] {
    return this.#agents.get(agentId) ?? [];
  }
}

/** A decider in three functions: what happens, what that makes of the state, and the state before anything happened. */
export type Decider<State, Command, Event> = {
  readonly decide: (command: Command, state: State) => Event | readonly Event[];
  readonly evolve: (state: State, event: Event) => State;
  readonly initialState: State;
};

/** What a test may say after a command was given. */
export type Outcome<Event> = {
  /** Exactly these events, in this order. */
  then(...expected: readonly Event[]): void;
  thenNothing(): void;
  /** The command is refused with an error that has this code. */
  thenRefused(code: string): void;
};

/** Compares as the caller's test runner does; this package stays free of any. */
export type Expect = (actual: unknown, expected: unknown) => void;

/** `given(events).when(command).then(events)` over one decider. Events that the decider makes must be events that it can evolve. */
export const deciderSpec =
  <State, Command, Event>(decider: Decider<State, Command, Event>, expectEqual: Expect) =>
  (...past: readonly Event[]): { when(command: Command): Outcome<Event> } => ({
    when: (command) => {
      const state = past.reduce((before, event) => decider.evolve(before, event), decider.initialState);
      const run = (): readonly Event[] => {
        const decided = decider.decide(command, state);
        const events = Array.isArray(decided) ? (decided as readonly Event[]) : [decided as Event];
        events.reduce((before, event) => decider.evolve(before, event), state);
        return events;
      };
      return {
        then: (...expected) => expectEqual(run(), expected),
        thenNothing: () => expectEqual(run(), []),
        thenRefused: (code) => {
          let refused: unknown = 'nothing was refused';
          try {
            run();
          } catch (error) {
            refused = (error as { readonly code?: unknown }).code;
          }
          expectEqual(refused, code);
        },
      };
    },
  });

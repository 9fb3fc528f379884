import { agentDefined, expireOffers, offerAccepted, offerDeclined, presenceSet } from './agents.js';
import type { RoutingEvent } from './events.js';
import type { RoutingInput } from './inputs.js';
import { toInstant } from './instants.js';
import { Recorder, type DeriveId, type Refusal } from './recorder.js';
import { route } from './route.js';
import type { RoutingState } from './state.js';
import { closed, endWrapUps, opened, queueDefined, reopened, transferRequested, windowMoved, wrapUpEnded } from './tasks.js';

export type Decision = {
  readonly events: readonly RoutingEvent[];
  /** Set when the input itself was refused; events may still stand there, of deadlines that had passed by then. */
  readonly refusal: Refusal | null;
  /** The state after these events, as `evolve` gives it. */
  readonly state: RoutingState;
};

/**
 * One step of a routing domain, a pure function of the events so far and one input: first what was due when it came (an
 * answer that came at or after the end of its offer is too late), then the input, then offers for whoever can be served now.
 */
export const decide = (state: RoutingState, input: RoutingInput, derive: DeriveId): Decision => {
  const recorder = new Recorder(state, input.receivedAt, input.at, derive);
  expireOffers(recorder);
  endWrapUps(recorder);
  const refusal = handle(recorder, input) ?? null;
  if (recorder.events.length > 0 || input.kind === 'timer') route(recorder);
  return { events: recorder.events, refusal, state: recorder.state };
};

const handle = (recorder: Recorder, input: RoutingInput): Refusal | undefined => {
  switch (input.kind) {
    case 'conversation.opened':
      return opened(recorder, input);
    case 'conversation.reopened':
      return reopened(recorder, input);
    case 'conversation.closed':
      return closed(recorder, input);
    case 'transfer.requested':
      return transferRequested(recorder, input);
    case 'window.moved':
      return windowMoved(recorder, input);
    case 'presence.set':
      return presenceSet(recorder, input);
    case 'offer.accepted':
      return offerAccepted(recorder, input);
    case 'offer.declined':
      return offerDeclined(recorder, input);
    case 'wrap-up.ended':
      return wrapUpEnded(recorder, input);
    case 'agent.defined':
      return agentDefined(recorder, input);
    case 'queue.defined':
      return queueDefined(recorder, input);
    case 'policy.published':
      recorder.record({
        type: 'routing.policy.published.v1',
        data: {
          ...input.policy,
          policyVersion: recorder.state.policy.policyVersion + 1,
          publishedAt: toInstant(recorder.at),
        },
      });
      return undefined;
    case 'timer':
      return undefined;
  }
};

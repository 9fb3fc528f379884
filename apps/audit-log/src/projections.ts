import { Keyring } from '@centralita/keyring';
import { PlatformError } from '@centralita/contracts';
import {
  keyProviderConnection,
  loadConfig,
  serviceEnv,
  type Projection,
  type ProjectionsOptions,
} from '@centralita/platform-nest';
import { FactsHandler, factsIgnored } from './facts/handler.js';
import { Participants, participantsIgnored } from './facts/participants.js';
import { auditLog } from './service.js';

/** What a stated reason is checked against: who was assigned to whom, which queue owned what, and who takes part in whose conversation. */
export const factsProjection = (keyring: Keyring): Projection => {
  const facts = new FactsHandler(keyring);
  const participants = new Participants(keyring);
  return {
    tables: ['assignment', 'task_queue', 'agent_queues', 'participant'],
    handlers: new Map([
      ['routing.events.v1', { handle: (batch) => facts.onDecisions(batch), ignored: factsIgnored }],
      ['conversation.events.v1', { handle: (batch) => participants.onMessages(batch), ignored: participantsIgnored }],
    ]),
    close: () => keyring.close(),
  };
};

/** What `main.js projection NAME` can fill again. The ledger is none of them: its order is a decision, see `rebuild`. */
export const projections = (env: NodeJS.ProcessEnv): ProjectionsOptions => ({
  service: auditLog.service,
  groupId: auditLog.consumerGroup,
  projections: {
    facts: async () => {
      const [{ KEYRING_DATABASE_URL }, provider] = loadConfig(
        env,
        serviceEnv.pick({ KEYRING_DATABASE_URL: true }).required(),
        keyProviderConnection,
      );
      if ('missing' in provider) throw new PlatformError('CONFIGURATION_INVALID', provider.missing);
      return factsProjection(await Keyring.open({ databaseUrl: KEYRING_DATABASE_URL, provider: provider.open() }));
    },
  },
});

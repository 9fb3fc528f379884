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
import { auditLog } from './service.js';

/** Who was assigned to whom and which queue owned what, as routing decided it: what a stated reason is checked against. */
export const factsProjection = (keyring: Keyring): Projection => {
  const facts = new FactsHandler(keyring);
  return {
    tables: ['assignment', 'task_queue', 'agent_queues'],
    handlers: new Map([['routing.events.v1', { handle: (batch) => facts.onDecisions(batch), ignored: factsIgnored }]]),
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

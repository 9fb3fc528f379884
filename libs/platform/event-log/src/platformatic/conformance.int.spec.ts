import { testBrokers } from '@centralita/testing-engines';
import { describeEventLogConformance } from '../conformance/conformance.spec.js';
import { openEventLog } from '../open.js';

describeEventLogConformance('platformatic', () =>
  openEventLog({ driver: 'platformatic', brokers: testBrokers(), clientId: 'conformance' }),
);

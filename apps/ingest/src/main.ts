import 'reflect-metadata';
import { drainOnSignals, exitWith, loadConfig, runService } from '@centralita/platform-nest';
import { roleEnv, type Role } from './config.js';
import { startWebhook } from './receive-webhook/start.js';
import { mediaService, senderService } from './services.js';

const roleOf = (): Role => {
  try {
    return loadConfig(process.env, roleEnv)[0].INGEST_ROLE;
  } catch (error) {
    return exitWith(error, 'ingest');
  }
};

const role = roleOf();
// The webhook is no service behind the gateway; migrations are the same for every role.
if (role === 'webhook' && process.argv[2] === undefined)
  try {
    await startWebhook(process.env, { supervise: drainOnSignals });
  } catch (error) {
    exitWith(error, 'ingest');
  }
else if (role === 'media') await runService(mediaService);
else await runService(senderService);

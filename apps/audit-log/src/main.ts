import { exitWith, runService } from '@centralita/platform-nest';
import { AuditLogModule } from './app.module.js';
import { runRebuild } from './rebuild/command.js';
import { auditLog } from './service.js';
import { Signer } from './signing/signer.js';

if (process.argv[2] === 'rebuild') {
  try {
    process.exitCode = await runRebuild(process.env, (line) => void process.stdout.write(`${line}\n`));
  } catch (error) {
    exitWith(error, auditLog.service);
  }
} else await runService({ ...auditLog, module: (config) => AuditLogModule.with(Signer.read(config.AUDIT_SIGNING_KEY_FILE)) });

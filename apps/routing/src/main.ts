import { runService } from '@centralita/platform-nest';
import { routingService } from './service.js';

await runService(routingService);

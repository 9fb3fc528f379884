import 'reflect-metadata';
import { runService } from '@centralita/platform-nest';
import { conversationService } from './service.js';

await runService(conversationService);

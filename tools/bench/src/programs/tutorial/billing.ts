// One usage row for each message that the provider has delivered.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { entities, Usage } from './entities.js';
import { database, instant, kafka, started, topics, type InboundStatus } from './settings.js';

@Controller()
class BillingController {
  constructor(@InjectRepository(Usage) private readonly usage: Repository<Usage>) {}

  @EventPattern(topics.statuses)
  async onStatus(@Payload() { wamid, status, timestamp, pricing }: InboundStatus): Promise<void> {
    if (pricing === undefined || status !== 'delivered') return;
    const { category, billable } = pricing;
    await this.usage.save({ wamid, category, billable, at: instant(timestamp) });
  }
}

@Module({
  imports: [TypeOrmModule.forRoot(database), TypeOrmModule.forFeature(entities)],
  controllers: [BillingController],
})
class BillingModule {}

const app = await NestFactory.createMicroservice(BillingModule, { ...kafka('tutorial-billing'), logger: ['error'] });
await app.listen();
await started(app);

// Takes webhooks, checks the signature and emits one record an item, as Nest's page on Kafka shows it.
import 'reflect-metadata';
import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  Controller,
  Headers,
  HttpCode,
  Inject,
  Module,
  Post,
  Req,
  UnauthorizedException,
  type RawBodyRequest,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientKafka, ClientsModule } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { lastValueFrom } from 'rxjs';
import { HTTP_PORT, kafka, SECRET, started, topics, type InboundMessage, type InboundStatus } from './settings.js';

type Value = {
  readonly metadata: { readonly phone_number_id: string };
  readonly contacts?: readonly { readonly profile: { readonly name: string } }[];
  readonly messages?: readonly {
    readonly id: string;
    readonly from: string;
    readonly timestamp: string;
    readonly text: { readonly body: string };
  }[];
  readonly statuses?: readonly (Omit<InboundStatus, 'wamid'> & { readonly id: string; readonly recipient_id: string })[];
};
type Delivery = { readonly entry: readonly { readonly changes: readonly { readonly value: Value }[] }[] };

@Controller()
class WebhookController {
  constructor(@Inject('KAFKA') private readonly client: ClientKafka) {}

  @Post('/webhooks/bench')
  @HttpCode(200)
  async receive(
    @Req() request: RawBodyRequest<FastifyRequest>,
    @Headers('x-hub-signature-256') signature: string,
  ): Promise<void> {
    const expected = Buffer.from(
      `sha256=${createHmac('sha256', SECRET)
        .update(request.rawBody ?? '')
        .digest('hex')}`,
    );
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new UnauthorizedException();
    const { entry } = request.body as Delivery;
    const values = entry.flatMap(({ changes }) => changes.map(({ value }) => value));
    await Promise.all(values.map((value) => this.emitAll(value)));
  }

  private async emitAll({ metadata, contacts = [], messages = [], statuses = [] }: Value): Promise<void> {
    for (const { id, from, timestamp, text } of messages) {
      const name = contacts[0]?.profile.name ?? '';
      const phoneNumberId = metadata.phone_number_id;
      const value: InboundMessage = { wamid: id, phone: from, phoneNumberId, name, body: text.body, timestamp };
      await lastValueFrom(this.client.emit(topics.messages, { key: from, value }));
    }
    for (const { id, recipient_id, status, timestamp, pricing } of statuses) {
      const value: InboundStatus = { wamid: id, status, timestamp, ...(pricing === undefined ? {} : { pricing }) };
      await lastValueFrom(this.client.emit(topics.statuses, { key: recipient_id, value }));
    }
  }
}

@Module({
  imports: [ClientsModule.register([{ name: 'KAFKA', ...kafka('tutorial-webhook') }])],
  controllers: [WebhookController],
})
class WebhookModule {}

const adapter = new FastifyAdapter({ bodyLimit: 3 * 1024 * 1024 });
const app = await NestFactory.create<NestFastifyApplication>(WebhookModule, adapter, { rawBody: true, logger: ['error'] });
await app.listen(Number(HTTP_PORT), '127.0.0.1');
await started(app);

// Conversations, their messages, assignments, replies and reads: a hybrid application, one `repository.save` for each thing that happens.
import 'reflect-metadata';
import { Body, Controller, Get, Inject, Module, Param, ParseUUIDPipe, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientKafka, ClientsModule, EventPattern, Payload } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { lastValueFrom } from 'rxjs';
import { Repository } from 'typeorm';
import { Agent, Assignment, AuditEntry, Conversation, entities, Message, MessageStatus } from './entities.js';
import {
  database,
  GRAPH_URL,
  HTTP_PORT,
  instant,
  kafka,
  started,
  topics,
  type InboundMessage,
  type InboundStatus,
  type SavedMessage,
} from './settings.js';

@Controller()
class ConversationController {
  constructor(
    @InjectRepository(Conversation) private readonly conversations: Repository<Conversation>,
    @InjectRepository(Message) private readonly messages: Repository<Message>,
    @InjectRepository(Agent) private readonly agents: Repository<Agent>,
    @InjectRepository(Assignment) private readonly assignments: Repository<Assignment>,
    @InjectRepository(MessageStatus) private readonly statuses: Repository<MessageStatus>,
    @InjectRepository(AuditEntry) private readonly audit: Repository<AuditEntry>,
    @Inject('KAFKA') private readonly client: ClientKafka,
  ) {}

  @EventPattern(topics.messages)
  async onMessage(@Payload() { wamid, phone, phoneNumberId, name, body, timestamp }: InboundMessage): Promise<void> {
    const at = instant(timestamp);
    const conversation =
      (await this.conversations.findOneBy({ phone, phoneNumberId })) ?? (await this.open(phone, phoneNumberId, name, at));
    await this.messages.save({ conversationId: conversation.id, wamid, direction: 'in', body, status: 'received', at });
    conversation.messageCount += 1;
    conversation.lastMessageAt = at;
    await this.conversations.save(conversation);
    const value: SavedMessage = {
      conversationId: conversation.id,
      agentId: conversation.agentId,
      count: conversation.messageCount,
    };
    await lastValueFrom(this.client.emit(topics.saved, { key: conversation.id, value }));
  }

  @EventPattern(topics.statuses)
  async onStatus(@Payload() { wamid, status, timestamp }: InboundStatus): Promise<void> {
    await this.statuses.save({ wamid, status, at: instant(timestamp) });
    const message = await this.messages.findOneBy({ wamid });
    if (message === null) return;
    message.status = status;
    await this.messages.save(message);
  }

  @Get('/conversations/:id/messages')
  async read(@Param('id', ParseUUIDPipe) conversationId: string, @Query('actor') actorId: string): Promise<Message[]> {
    const items = await this.messages.find({ where: { conversationId }, order: { at: 'DESC' }, take: 50 });
    await this.audit.save({ actorId, conversationId, action: 'thread.read', at: new Date() });
    return items;
  }

  @Post('/conversations/:id/replies')
  async reply(@Param('id', ParseUUIDPipe) conversationId: string, @Body() { text }: { text: string }): Promise<Message> {
    const { phone, phoneNumberId } = await this.conversations.findOneByOrFail({ id: conversationId });
    const message = await this.messages.save(
      this.messages.create({ conversationId, wamid: null, direction: 'out', body: text, status: 'pending', at: new Date() }),
    );
    const response = await fetch(`${GRAPH_URL}/v25.0/${phoneNumberId}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messaging_product: 'whatsapp', to: phone, type: 'text', text: { body: text } }),
    });
    const { messages } = (await response.json()) as { messages: [{ id: string }] };
    message.wamid = messages[0].id;
    message.status = 'accepted';
    return this.messages.save(message);
  }

  /** A new conversation goes to the agent who has the fewest. */
  private async open(phone: string, phoneNumberId: string, customerName: string, at: Date): Promise<Conversation> {
    const [agent] = await this.agents.find({ order: { load: 'ASC' }, take: 1 });
    if (agent === undefined) throw new Error('nobody is there');
    agent.load += 1;
    await this.agents.save(agent);
    const agentId = agent.id;
    const conversation = await this.conversations.save(
      this.conversations.create({ phone, phoneNumberId, customerName, agentId, messageCount: 0, lastMessageAt: at }),
    );
    await this.assignments.save({ conversationId: conversation.id, agentId, at: new Date() });
    return conversation;
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot(database),
    TypeOrmModule.forFeature(entities),
    ClientsModule.register([{ name: 'KAFKA', ...kafka('tutorial-conversation-out') }]),
  ],
  controllers: [ConversationController],
})
class ConversationModule {}

const app = await NestFactory.create<NestFastifyApplication>(ConversationModule, new FastifyAdapter(), { logger: ['error'] });
app.connectMicroservice(kafka('tutorial-conversation'));
await app.startAllMicroservices();
await app.listen(Number(HTTP_PORT), '127.0.0.1');
await started(app);

import { Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
@Index(['phone', 'phoneNumberId'])
export class Conversation {
  @PrimaryGeneratedColumn('uuid')
  id!: string;
  @Column()
  phone!: string;
  @Column()
  phoneNumberId!: string;
  @Column()
  customerName!: string;
  @Column('uuid')
  agentId!: string;
  @Column('int', { default: 0 })
  messageCount!: number;
  @Column('timestamptz')
  lastMessageAt!: Date;
}

@Entity()
export class Message {
  @PrimaryGeneratedColumn('uuid')
  id!: string;
  @Index()
  @Column('uuid')
  conversationId!: string;
  @Index()
  @Column('text', { nullable: true })
  wamid!: string | null;
  @Column()
  direction!: string;
  @Column('text')
  body!: string;
  @Column()
  status!: string;
  @Column('timestamptz')
  at!: Date;
}

@Entity()
export class Agent {
  @PrimaryColumn('uuid')
  id!: string;
  @Index()
  @Column('int', { default: 0 })
  load!: number;
}

@Entity()
export class Assignment {
  @PrimaryGeneratedColumn('uuid')
  id!: string;
  @Index()
  @Column('uuid')
  conversationId!: string;
  @Column('uuid')
  agentId!: string;
  @Column('timestamptz')
  at!: Date;
}

@Entity()
export class MessageStatus {
  @PrimaryGeneratedColumn('uuid')
  id!: string;
  @Index()
  @Column()
  wamid!: string;
  @Column()
  status!: string;
  @Column('timestamptz')
  at!: Date;
}

@Entity()
export class Usage {
  @PrimaryGeneratedColumn('uuid')
  id!: string;
  @Index()
  @Column()
  wamid!: string;
  @Column()
  category!: string;
  @Column()
  billable!: boolean;
  @Column('timestamptz')
  at!: Date;
}

@Entity()
export class AuditEntry {
  @PrimaryGeneratedColumn('uuid')
  id!: string;
  @Column('uuid')
  actorId!: string;
  @Index()
  @Column('uuid')
  conversationId!: string;
  @Column()
  action!: string;
  @Column('timestamptz')
  at!: Date;
}

export const entities = [Conversation, Message, Agent, Assignment, MessageStatus, Usage, AuditEntry];

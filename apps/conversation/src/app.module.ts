import { Module } from '@nestjs/common';
import { Catalogue } from './catalogue/catalogue.js';
import { CatalogueController } from './catalogue/http.js';
import { FollowRouting } from './follow-routing/handler.js';
import { InboxController } from './inbox/http.js';
import { RecordInbound } from './record-inbound/handler.js';
import { Recorder } from './record/recorder.js';
import { ReplyToCustomer } from './reply-to-customer/command.js';
import { ReplyController } from './reply-to-customer/http.js';
import { RevealController } from './reveal-identity/http.js';
import { ThreadController } from './thread/http.js';
import { TrackReplies } from './track-replies/handler.js';
import { WorkOnCase } from './work-on-case/command.js';
import { WorkOnCaseController } from './work-on-case/http.js';

@Module({
  providers: [Catalogue, Recorder, ReplyToCustomer, WorkOnCase],
  controllers: [
    RecordInbound,
    TrackReplies,
    FollowRouting,
    InboxController,
    ThreadController,
    ReplyController,
    WorkOnCaseController,
    RevealController,
    CatalogueController,
  ],
})
export class ConversationModule {}

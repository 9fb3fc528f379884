// One browser and one stand-in of the API for all scenes: starting them takes longer than most of these.
import './shell/sign-in.scenes.spec.js';
import './inbox/inbox.scenes.spec.js';
import './inbox/reply.scenes.spec.js';
import './ledger/ledger.scenes.spec.js';
import './billing/billing.scenes.spec.js';
import './platform/platform.scenes.spec.js';
import './shell/screens.scenes.spec.js';

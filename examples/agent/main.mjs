// An agent has the events of a log summed up, three at a time.
//
//   node examples/agent/main.mjs          asks a service on this machine, which cannot think
//   node examples/agent/main.mjs --live   asks Anthropic's, with the key in ANTHROPIC_API_KEY, which costs a little

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAnthropicClient, createClaudeSonetAgent } from '@strand/core/agent';
import { createSharedLog } from '@strand/core/log';
import { startService } from './service.mjs';

const isLive = process.argv.includes('--live');
const service = isLive ? undefined : await startService();
const folder = mkdtempSync(path.join(tmpdir(), 'strand-agent-'));
const log = createSharedLog({
  path: path.join(folder, 'events.log'),
  capacityBytes: 64 * 1024,
  writable: true,
});

const record = (...events) =>
  log.writer.appendBatch(events.map((event) => Buffer.from(JSON.stringify(event))));

record(
  { level: 'info', text: 'backup begins' },
  { level: 'error', text: 'disk 2 is full' },
  { level: 'info', text: 'backup goes to disk 3' },
);

const agent = createClaudeSonetAgent({
  sharedLog: log,
  model: 'claude-sonnet-5-5',
  // A frame that is no JSON is the agent's to tell of.
  decoder: (frame) => ({ ok: true, frame: { payload: JSON.parse(frame), raw: frame } }),
  formatPrompt: (frames) =>
    [
      'Sum these events of a server up in one short sentence:',
      ...frames.map(({ payload: { level, text } }) => `${level}: ${text}`),
    ].join('\n'),
  claudeClient: createAnthropicClient(service && { baseURL: service.baseURL, apiKey: 'none' }),
  maxBatchMessages: 3,
  // What was answered is not asked again by the next agent with this file.
  checkpoint: path.join(folder, 'agent.checkpoint'),
  retry: { baseMs: 100 },
});

agent.on('retry', ({ attempt, error }) => {
  console.log(`attempt ${attempt} failed: ${error.status ?? error.message}`);
});
agent.on('answer', ({ frames, output }) => {
  const text = output.raw.content.map((block) => block.text ?? '').join('');
  console.log(`${frames.length} events answered: ${text}`);
});
agent.on('error', (error) => {
  console.error(`the agent cannot go on: ${error.message}`);
  process.exitCode = 1;
});
agent.start();

// It follows the log: these come while it is at work.
record(
  { level: 'info', text: 'backup is done' },
  { level: 'error', text: 'its checksum is wrong' },
  { level: 'error', text: 'backup is given up' },
);

// Everything that is in the log by now is answered first.
const { drained } = await agent.stop();
const { framesAnswered, promptsSent, retries, deadLetters } = agent.metrics();
console.log({ drained, framesAnswered, promptsSent, retries, deadLetters });

log.close();
service?.close();
rmSync(folder, { recursive: true });

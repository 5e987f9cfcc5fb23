import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * A service on this machine that speaks as much of Anthropic's Messages API as the example needs. It has too much to do
 * for the first request, as services do.
 */
export async function startService() {
  let requests = 0;
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    requests++;
    const { status, body } = requests === 1 ? overloaded() : answerTo(JSON.parse(text), requests);
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': `req_${requests}` });
    response.end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseURL: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.close();
      // Clients keep theirs for the next request.
      server.closeAllConnections();
    },
  };
}

function overloaded() {
  return {
    status: 529,
    body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  };
}

/** A message that says of the prompt's lines what can be said without understanding them. */
function answerTo({ model, messages: [{ content }] }, number) {
  const [, ...lines] = content.split('\n');
  const errors = lines.filter((line) => line.startsWith('error'));
  const text = `${lines.length} events, ${errors.length} of them errors. The last: ${lines.at(-1)}`;
  return {
    status: 200,
    body: {
      id: `msg_${number}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: content.length, output_tokens: text.length },
    },
  };
}

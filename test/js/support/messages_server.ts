import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished, vi } from 'vitest';

/** A request for a message, as it came. */
export interface MessageRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: MessageParams;
  /** The key, from either of the headers that SDKs send it in. */
  readonly key: string | undefined;
  /** The text of its last message. */
  readonly prompt: string;
  /** Resolves when its connection is of no use any more, or it is answered. */
  readonly closed: Promise<void>;
}

export interface MessageParams {
  readonly model: string;
  readonly max_tokens: number;
  readonly system?: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** What the service does with a request. */
export type Behaviour = (request: MessageRequest, response: ServerResponse) => void;

export interface MessagesService {
  readonly baseURL: string;
  /** Every request for a message, in order, those that are refused among them. */
  readonly requests: readonly MessageRequest[];
  /** Prompts that were answered as they should be. */
  readonly answered: readonly string[];
  /** What is done with the requests that come next; then all are answered. */
  plan(...behaviours: readonly Behaviour[]): void;
}

interface StatusOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly message?: string;
}

/** A service on this machine that speaks the Messages API. It ends with the test. */
export async function startMessages({ key }: { readonly key?: string } = {}): Promise<MessagesService> {
  const requests: MessageRequest[] = [];
  const answered: string[] = [];
  const planned: Behaviour[] = [];
  const server = createServer(async (incoming, response) => {
    // A connection that is cut on purpose is no error of the service.
    response.on('error', () => {});
    const text = await textOf(incoming).catch(() => undefined);
    if (text === undefined) return;
    const request = requestOf(incoming, response, text);
    requests.push(request);
    const refused = refusalOf(incoming, request, key);
    const behaviour = refused ?? planned.shift() ?? answer();
    behaviour(request, response);
    if (answers.has(behaviour)) answered.push(request.prompt);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseURL: `http://127.0.0.1:${port}`,
    requests,
    answered,
    plan: (...behaviours) => void planned.push(...behaviours),
  };
}

/** An address that nobody listens at. */
export async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Clears the environment of what clients take from there: whoever runs the tests may have a key. `vi.unstubAllEnvs()` undoes it. */
export function forgetKeys(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('ANTHROPIC_')) vi.stubEnv(name, undefined);
  }
}

/** Behaviours that are answers. */
const answers = new WeakSet<Behaviour>();

/** The answer that a request is for. */
export function answer(text = 'understood'): Behaviour {
  const behaviour: Behaviour = (request, response) => sendJson(response, 200, messageOf(request, text));
  answers.add(behaviour);
  return behaviour;
}

/** An answer that is an error. */
export function status(
  code: number,
  { headers = {}, type = 'api_error', message = 'no' }: StatusOptions = {},
): Behaviour {
  return (_, response) => sendJson(response, code, { type: 'error', error: { type, message } }, headers);
}

/** The headers of an answer and half of its body, and nothing more. */
export const half: Behaviour = (request, response) => {
  const bytes = Buffer.from(JSON.stringify(messageOf(request, 'never read')));
  response.writeHead(200, headersOf(bytes.length));
  response.write(bytes.subarray(0, bytes.length / 2));
};

/** Nothing at all. */
export const silence: Behaviour = () => {};

/** The end of the connection in place of an answer. */
export const cut: Behaviour = (_, response) => void response.socket?.destroy();

/** The end of the connection in the middle of an answer's body. */
export const cutInBody: Behaviour = (request, response) => {
  const bytes = Buffer.from(JSON.stringify(messageOf(request, 'never read')));
  response.writeHead(200, headersOf(bytes.length));
  response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.destroy());
};

/** A body of a media type. */
export function body(text: string, mediaType = 'application/json'): Behaviour {
  return (_, response) => {
    response.writeHead(200, { ...headersOf(Buffer.byteLength(text)), 'content-type': mediaType });
    response.end(text);
  };
}

function requestOf(incoming: IncomingMessage, response: ServerResponse, text: string): MessageRequest {
  const { headers } = incoming;
  const params = parsed(text) as MessageParams;
  const bearer = /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1];
  return {
    headers,
    body: params,
    key: headers['x-api-key']?.toString() ?? bearer,
    prompt: params?.messages?.at(-1)?.content ?? '',
    closed: new Promise((resolve) => response.once('close', resolve)),
  };
}

function refusalOf(
  { method, url }: IncomingMessage,
  { key, headers, body: params }: MessageRequest,
  expected: string | undefined,
): Behaviour | undefined {
  if (method !== 'POST' || url !== '/v1/messages') return status(404, { type: 'not_found_error' });
  if (key === undefined || (expected !== undefined && key !== expected)) {
    return status(401, { type: 'authentication_error', message: 'invalid key' });
  }
  const isRequest =
    headers['anthropic-version'] !== undefined &&
    typeof params?.model === 'string' &&
    Number.isInteger(params.max_tokens) &&
    Array.isArray(params.messages) &&
    params.messages.length > 0;
  return isRequest
    ? undefined
    : status(400, { type: 'invalid_request_error', message: 'a field is missing' });
}

function messageOf({ body: { model }, prompt }: MessageRequest, text: string): object {
  return {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: prompt.length, output_tokens: text.length },
  };
}

function sendJson(response: ServerResponse, code: number, value: object, headers = {}): void {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(code, { ...headersOf(bytes.length), ...headers });
  response.end(bytes);
}

function headersOf(length: number): Record<string, string> {
  return {
    'content-type': 'application/json',
    'content-length': String(length),
    'request-id': `req_${randomUUID()}`,
  };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

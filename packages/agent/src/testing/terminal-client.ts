/** A client of the agent's API that attaches to the output and the input of a container, as command lines do. */

import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { agentApi, createRecordDecoder, decode, encode, encodeRecord } from '@dcos/wire';

/** Where an agent answers. */
export interface AgentAddress {
  readonly url: string;
}

/** An unmodified command line's way: protobuf records both ways, the answer before the input. */
export class TerminalClient {
  readonly output: IncomingMessage;
  readonly ended: Promise<void>;
  text = '';
  #input: ClientRequest | undefined;

  constructor(output: IncomingMessage) {
    this.output = output;
    const records = createRecordDecoder();
    output.on('data', (bytes: Buffer) => {
      for (const record of records.push(bytes)) {
        const io = decode(agentApi.ProcessIOType, record);
        this.text += Buffer.from(io.data?.data ?? []).toString('utf8');
      }
    });
    // An agent that dies, or a client that leaves, ends it as well.
    output.on('error', () => undefined);
    this.ended = new Promise((resolve) => output.once('close', resolve));
  }

  static async open(agent: AgentAddress, message: agentApi.Call): Promise<TerminalClient> {
    const request = httpRequest(`${agent.url}/slave(1)/api/v1`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        accept: ['application/x-protobuf', 'application/recordio'],
        'message-accept': 'application/x-protobuf',
      },
    });
    request.end(encode(agentApi.CallType, message));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return new TerminalClient(response);
  }

  attachInput(
    agent: AgentAddress,
    container_id: agentApi.Call_WaitContainer['container_id'],
  ): void {
    this.#input = httpRequest(`${agent.url}/api/v1`, {
      method: 'POST',
      headers: {
        'content-type': 'application/recordio',
        'message-content-type': 'application/x-protobuf',
      },
    });
    // Who waits for the answer is told; the agent may die before anybody does.
    this.#input.on('error', () => undefined);
    this.#send({ type: 'CONTAINER_ID', container_id });
  }

  send(process_io: agentApi.ProcessIO): void {
    this.#send({ type: 'PROCESS_IO', process_io });
  }

  type(text: string): void {
    this.send({ type: 'DATA', data: { type: 'STDIN', data: Buffer.from(text) } });
  }

  resize(rows: number, columns: number): void {
    this.send({
      type: 'CONTROL',
      control: { type: 'TTY_INFO', tty_info: { window_size: { rows, columns } } },
    });
  }

  /** Resolves with the answer to the input. */
  async endInput(): Promise<IncomingMessage> {
    const input = this.#input;
    if (input === undefined) throw new Error('no input is attached');
    const answered = once(input, 'response');
    input.end();
    const [response] = (await answered) as [IncomingMessage];
    response.resume();
    return response;
  }

  #send(attach_container_input: agentApi.Call_AttachContainerInput): void {
    const message: agentApi.Call = { type: 'ATTACH_CONTAINER_INPUT', attach_container_input };
    this.#input?.write(encodeRecord(encode(agentApi.CallType, message)));
  }
}

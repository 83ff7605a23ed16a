import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encode,
  encodeLarge,
  encodePiece,
  inOnePiece,
  LargeMessage,
  LongList,
  masterApi,
  PieceCache,
  TaskType,
  toJsonText,
  type Encoding,
  type Task,
} from './index.ts';
import { messageArbitrary } from './testing/message-arbitrary.ts';

const pieceOfTask = (task: Task, encoding: Encoding): string =>
  encodePiece(TaskType, task, encoding);

/** The same message with its long lists and branches taken apart. */
function large(message: masterApi.Response): LargeMessage {
  const { get_state: state, ...fields } = message;
  if (state === undefined) return new LargeMessage(masterApi.ResponseType, fields);
  const { get_tasks: tasks, get_frameworks: frameworks, ...others } = state;
  return new LargeMessage(masterApi.ResponseType, {
    ...fields,
    get_state: new LargeMessage(masterApi.Response_GetStateType, {
      ...others,
      ...(tasks !== undefined && {
        get_tasks: new LargeMessage(masterApi.Response_GetTasksType, {
          ...tasks,
          ...(tasks.tasks !== undefined && { tasks: LongList.of(tasks.tasks, pieceOfTask) }),
        }),
      }),
      ...(frameworks !== undefined && {
        get_frameworks: new LargeMessage(masterApi.Response_GetFrameworksType, {
          ...frameworks,
          ...(frameworks.frameworks !== undefined && {
            frameworks: frameworks.frameworks.map(
              (framework) =>
                new LargeMessage(masterApi.Response_GetFrameworks_FrameworkType, framework),
            ),
          }),
        }),
      }),
    }),
  });
}

function bytesOf(message: LargeMessage, encoding: Encoding): Buffer {
  const work = encodeLarge(message, encoding);
  let step = work.next();
  while (step.done !== true) step = work.next();
  const { texts, length } = step.value;
  const bytes = Buffer.from(texts.join(''), 'latin1');
  expect(bytes).toHaveLength(length);
  return bytes;
}

describe('a large message', () => {
  test('has the encoding of the same message in one piece', () => {
    fc.assert(
      fc.property(messageArbitrary(masterApi.ResponseType, { depthMax: 5 }), (message) => {
        expect(bytesOf(large(message), 'json').toString()).toBe(
          toJsonText(masterApi.ResponseType, message),
        );
        expect(bytesOf(large(message), 'protobuf')).toEqual(
          Buffer.from(encode(masterApi.ResponseType, message)),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('can be had in one piece', () => {
    const message: masterApi.Response = {
      type: 'GET_STATE',
      get_state: { get_tasks: { tasks: [taskNamed('größer als ☕')] } },
    };
    expect(inOnePiece(large(message))).toEqual(message);
  });

  test('writes empty long lists in JSON, where they are no fields of protobuf', () => {
    const message = new LargeMessage(masterApi.Response_GetTasksType, {
      tasks: LongList.of([], pieceOfTask),
    });
    expect(bytesOf(message, 'json').toString()).toBe('{"tasks":[]}');
    expect(bytesOf(message, 'protobuf')).toHaveLength(0);
  });

  test('pauses after each item', () => {
    const tasks = Array.from({ length: 5 }, (_, index) => taskNamed(`task ${index}`));
    const message = new LargeMessage(masterApi.Response_GetTasksType, {
      tasks: LongList.of(tasks, pieceOfTask),
    });
    expect([...encodeLarge(message, 'json')]).toHaveLength(5);
    expect([...encodeLarge(message, 'protobuf')]).toHaveLength(5);
  });
});

test('a cache of pieces encodes a message once for each encoding', () => {
  const made: Encoding[] = [];
  const cache = new PieceCache<Task>((task, encoding) => {
    made.push(encoding);
    return pieceOfTask(task, encoding);
  });
  const task = taskNamed('größer als ☕');
  for (const encoding of ['json', 'protobuf', 'json', 'protobuf'] as const) {
    expect(cache.pieceOf(task, encoding)).toBe(pieceOfTask(task, encoding));
  }
  expect(made).toEqual(['json', 'protobuf']);
  expect(Buffer.from(cache.pieceOf(task, 'json'), 'latin1').toString()).toBe(
    toJsonText(TaskType, task),
  );
});

function taskNamed(name: string): Task {
  return {
    name,
    task_id: { value: name },
    framework_id: { value: 'f' },
    agent_id: { value: 'a' },
    state: 'TASK_RUNNING',
  };
}

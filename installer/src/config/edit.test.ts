import { describe, expect, test } from 'vitest';
import { scaleEdit, type ScaleOptions } from '../commands/scale.ts';
import { parseConfiguration } from './configuration.ts';
import { editText } from './edit.ts';

const DOCKER = `# ours
name: demo
provider: docker
docker:
  masters: 3 # for life
  privateAgents: 2 # as many as the room has seats
`;
const AWS = `provider: aws
aws:
  region: eu-central-1
  adminLocations: [ 203.0.113.7/32 ]
  privateAgents: { count: 5, spot: true }
`;

function scaled(text: string, options: ScaleOptions): string {
  const parsed = parseConfiguration(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return editText(text, scaleEdit(options)(parsed.value));
}

describe('other numbers of agents', () => {
  test('change their keys and nothing else, comments stay', () => {
    expect(scaled(DOCKER, { privateAgents: '7' })).toBe(DOCKER.replace(': 2 #', ': 7 #'));
    expect(scaled(AWS, { privateAgents: '4' })).toBe(AWS.replace('{ count: 5', '{ count: 4'));
  });

  test('make keys and groups that are not there', () => {
    expect(scaled(DOCKER, { publicAgents: '2' })).toBe(`${DOCKER}  publicAgents: 2\n`);
    expect(scaled('{"provider":"docker"}', { publicAgents: '0' })).toBe(
      '{ "provider": "docker", docker: { publicAgents: 0 } }\n',
    );
  });

  test('that are there already leave the text as it is, however it is written', () => {
    expect(
      scaled('{"provider":"docker","docker":{"privateAgents":4}}', { privateAgents: '4' }),
    ).toBe('{"provider":"docker","docker":{"privateAgents":4}}');
  });

  test.each([
    ['no number at all', DOCKER, {}, 'say how many'],
    ['a word', DOCKER, { privateAgents: 'many' }, 'is a number'],
    ['less than none', DOCKER, { publicAgents: '-1' }, 'is a number'],
    [
      'hosts with addresses',
      'provider: ssh\nhosts:\n  masters: [10.0.0.1]\n  privateAgents: [10.0.0.2]\n',
      { privateAgents: '2' },
      'hosts.privateAgents',
    ],
  ])('refused: %s', (_name, text, options, words) => {
    expect(() => scaled(text, options)).toThrow(words);
  });
});

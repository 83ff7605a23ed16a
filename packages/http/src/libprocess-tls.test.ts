import { expect, test } from 'vitest';
import { translateLibprocessTls } from './libprocess-tls.ts';

const ENABLED = {
  LIBPROCESS_SSL_ENABLED: 'true',
  LIBPROCESS_SSL_CERT_FILE: '/c',
  LIBPROCESS_SSL_KEY_FILE: '/k',
};
const translate = (
  environment: Readonly<Record<string, string>>,
): ReturnType<typeof translateLibprocessTls> => translateLibprocessTls(environment, 'MESOS_');

test.each([
  [{}, { MESOS_SSL_CERT_FILE: '/c', MESOS_SSL_KEY_FILE: '/k' }],
  [{ LIBPROCESS_SSL_ENABLED: '1' }, { MESOS_SSL_CERT_FILE: '/c' }],
  [
    { LIBPROCESS_SSL_CA_FILE: '/ca', LIBPROCESS_SSL_REQUIRE_CLIENT_CERT: '1' },
    { MESOS_SSL_CA_FILE: '/ca', MESOS_SSL_REQUIRE_CLIENT_CERT: 'true' },
  ],
  [{ LIBPROCESS_SSL_REQUIRE_CERT: 'false' }, { MESOS_SSL_REQUIRE_CLIENT_CERT: 'false' }],
  [{ MESOS_SSL_CERT_FILE: '/ours' }, { MESOS_SSL_CERT_FILE: '/ours', MESOS_SSL_KEY_FILE: '/k' }],
])('%j', (more, expected) => {
  const { environment, notes } = translate({ ...ENABLED, ...more });
  expect(environment).toMatchObject(expected);
  expect(notes).toEqual([]);
});

test.each([
  [{ LIBPROCESS_SSL_SUPPORT_DOWNGRADE: 'true' }, /SUPPORT_DOWNGRADE is not supported/],
  [{ LIBPROCESS_SSL_ENABLE_TLS_V1_1: '1' }, /TLS 1.2 is the least/],
  [{ LIBPROCESS_SSL_CA_DIR: '/d' }, /CA_FILE/],
  [{ LIBPROCESS_SSL_REQUIRE_CLIENT_CERT: 'perhaps' }, /REQUIRE_CLIENT_CERT=perhaps: expected/],
  [{ LIBPROCESS_SSL_ENABLED: 'toString' }, /expected true or false/],
])('%j is refused', (more, message) => {
  expect(() => translate({ ...ENABLED, ...more })).toThrow(message);
});

test('TLS that is on needs a certificate and its key', () => {
  expect(() => translate({ LIBPROCESS_SSL_ENABLED: '1', LIBPROCESS_SSL_CERT_FILE: '/c' })).toThrow(
    'LIBPROCESS_SSL_ENABLED needs LIBPROCESS_SSL_KEY_FILE',
  );
});

test('what has no effect is said', () => {
  const notes = (environment: Readonly<Record<string, string>>): readonly string[] =>
    translate(environment).notes;
  expect(notes({ ...ENABLED, LIBPROCESS_SSL_VERIFY_SERVER_CERT: 'false' })).toEqual([
    'LIBPROCESS_SSL_VERIFY_SERVER_CERT has no effect: certificates of servers are always verified',
  ]);
  expect(notes({ ...ENABLED, LIBPROCESS_SSL_CIPHERS: 'x' })).toEqual([
    'LIBPROCESS_SSL_CIPHERS has no effect',
  ]);
  expect(notes({ ...ENABLED, LIBPROCESS_SSL_SUPPORT_DOWNGRADE: '0' })).toEqual([]);
  const off = { ...ENABLED, LIBPROCESS_SSL_ENABLED: '0' };
  expect(notes(off)).toHaveLength(2);
  expect(translate(off).environment).toEqual(off);
});

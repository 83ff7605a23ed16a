/**
 * Takes the variables by which the original is told about TLS, `LIBPROCESS_SSL_…`, and says them in the words of our
 * settings. A variable of ours that is set as well wins. Source: mesos-kernel §9.
 *
 * Invariant: nothing that would make a connection weaker or stronger is silently taken.
 */

const PREFIX = 'LIBPROCESS_SSL_';
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  false: false,
  0: false,
};

/** By the name behind the prefix. */
const FILES: Readonly<Record<string, string>> = {
  CERT_FILE: 'SSL_CERT_FILE',
  KEY_FILE: 'SSL_KEY_FILE',
  CA_FILE: 'SSL_CA_FILE',
};
const REQUIRE_CLIENT_CERT: ReadonlySet<string> = new Set(['REQUIRE_CLIENT_CERT', 'REQUIRE_CERT']);

/** What must not be switched on, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  SUPPORT_DOWNGRADE: 'a port speaks TLS or it does not',
  ENABLE_SSL_V3: 'TLS 1.2 is the least',
  ENABLE_TLS_V1_0: 'TLS 1.2 is the least',
  ENABLE_TLS_V1_1: 'TLS 1.2 is the least',
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Translates them all. Throws an error whose text names the variable that is refused.
 * @param prefix What our own variables begin with, such as `MESOS_`.
 */
export function translateLibprocessTls(
  environment: Environment,
  prefix: string,
): { readonly environment: Environment; readonly notes: readonly string[] } {
  const given = Object.entries(environment).flatMap(([variable, text]) =>
    variable.startsWith(PREFIX) && text !== undefined
      ? [{ variable, name: variable.slice(PREFIX.length), text }]
      : [],
  );
  const enabled = given.find(({ name }) => name === 'ENABLED');
  if (enabled === undefined || !booleanOf(enabled)) {
    const notes = given
      .filter((one) => one !== enabled)
      .map(({ variable }) => `${variable} has no effect: ${PREFIX}ENABLED is not set`);
    return { environment, notes };
  }
  const notes: string[] = [];
  const ours: Record<string, string> = {};
  for (const one of given) {
    const { variable, name, text } = one;
    const file = FILES[name];
    const refusal = REFUSED[name];
    if (file !== undefined) ours[prefix + file] = text;
    else if (REQUIRE_CLIENT_CERT.has(name)) {
      ours[`${prefix}SSL_REQUIRE_CLIENT_CERT`] = String(booleanOf(one));
    } else if (refusal !== undefined) {
      if (booleanOf(one)) throw new Error(`${variable} is not supported: ${refusal}`);
    } else if (name === 'CA_DIR') {
      throw new Error(`${variable} is not supported: ${PREFIX}CA_FILE names all authorities`);
    } else if (name === 'VERIFY_SERVER_CERT' || name === 'VERIFY_CERT') {
      notes.push(`${variable} has no effect: certificates of servers are always verified`);
    } else if (name !== 'ENABLED') notes.push(`${variable} has no effect`);
  }
  const translated = { ...ours, ...environment };
  for (const file of ['CERT_FILE', 'KEY_FILE'])
    if (translated[`${prefix}SSL_${file}`] === undefined)
      throw new Error(`${PREFIX}ENABLED needs ${PREFIX}${file}`);
  return { environment: translated, notes };
}

function booleanOf({
  variable,
  text,
}: {
  readonly variable: string;
  readonly text: string;
}): boolean {
  const value = Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined;
  if (value === undefined) throw new Error(`${variable}=${text}: expected true or false`);
  return value;
}

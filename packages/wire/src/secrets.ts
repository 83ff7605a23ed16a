/**
 * Messages as they may be shown. Tasks and executors bring secrets in the environment of a command, in volumes and in
 * the credentials of an image; whoever may look at a task is not whom its secrets are for.
 */

/**
 * The message without the values of the secrets in it: their kinds, and the names of those that are references, stay.
 * A message without any is given back itself.
 */
export function withoutSecrets<T>(message: T): T {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array)
    return message;
  if (isSecretWithValue(message)) {
    const { value: _value, ...rest } = message;
    return rest as unknown as T;
  }
  if (Array.isArray(message)) {
    const shown = message.map((item: unknown) => withoutSecrets(item));
    return shown.some((item, index) => item !== message[index]) ? (shown as T) : message;
  }
  const entries = Object.entries(message).map(
    ([key, item]) => [key, withoutSecrets(item)] as const,
  );
  const isChanged = entries.some(([key, item]) => item !== (message as Fields)[key]);
  return isChanged ? (Object.fromEntries(entries) as T) : message;
}

type Fields = Readonly<Record<string, unknown>>;

/** No other message has bytes in a field `value.data`. */
function isSecretWithValue(message: object): message is { readonly value: unknown } {
  if (!('value' in message)) return false;
  const { value } = message;
  return (
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    value.data instanceof Uint8Array
  );
}

/** What became of a request to a registry, in words for whoever started the task: ours, and the registry's own. */

const BODY_BYTES_MAX = 16 * 1024;
const WORDS_CHARACTERS_MAX = 256;

export interface Refusal {
  readonly status: number;
  readonly host: string;
  readonly repository: string;
  /** Below `/v2/<repository>/`. */
  readonly path: string;
}

/** Why there is nothing, by the status. */
export function problemOf({ status, host, repository, path }: Refusal): string {
  if (status === 401 || status === 403)
    return `the registry ${host} does not permit access to '${repository}'`;
  if (status === 404 && path.startsWith('manifests/'))
    return `there is no image '${repository}' with ${path.slice('manifests/'.length)} on ${host}`;
  return `the registry answered ${status} to ${path}`;
}

/** The registry's own words in parentheses, as far as it has some in the distribution API's form; empty otherwise. */
export async function wordsOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) return '';
      chunks.push(chunk);
    }
    const { errors } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
      readonly errors?: readonly { readonly message?: unknown }[];
    };
    const message = errors?.[0]?.message;
    if (typeof message !== 'string' || message === '') return '';
    // It must not write on anybody's terminal.
    return ` (${message.replaceAll(/\p{Cc}+/gu, ' ').slice(0, WORDS_CHARACTERS_MAX)})`;
  } catch {
    // It broke off, or is none of that form: the status has to do.
    return '';
  }
}

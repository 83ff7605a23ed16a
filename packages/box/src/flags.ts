/** The flags of `npm start -- …`: parsed whole before anything is touched. */

import { parseArgs } from 'node:util';
import { err, errorText, ok, type Result } from '@dcos/base';

/** Agents of one kind at most; each has its own loopback address and ports. */
export const AGENTS_MAX = 50;

export interface BoxFlags {
  /** Port of the router on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** Folder of all state. */
  readonly dataDirectory: string;
  readonly agents: number;
  readonly publicAgents: number;
  /** 0 takes a free port, here and below. */
  readonly masterPort: number;
  readonly marathonPort: number;
  readonly dnsPort: number;
  /** Empties the data folder first. */
  readonly fresh: boolean;
  /** A backup whose state it begins with; the data folder must be new. */
  readonly restore: string | undefined;
  /** Progress as JSON lines. */
  readonly json: boolean;
  readonly help: boolean;
}

export const HELP = `Starts a whole cluster in one process.

Usage: npm start [-- <flags>]     in a checkout
       dcos-box [<flags>]         of a release

  --port <n>            address of everything, on 127.0.0.1           (8180)
  --data-dir <folder>   where all state is kept                       (.dcos; of a release ~/.local/share/dcos)
  --agents <n>          private agents                                (2)
  --public-agents <n>   public agents, role slave_public              (1)
  --master-port <n>     the master's own port; 0 takes a free one     (0)
  --marathon-port <n>   Marathon's own port; 0 takes a free one       (0)
  --dns-port <n>        Mesos-DNS, UDP and TCP; 0 takes a free one    (0)
  --fresh               stop what still runs from before, empty the data folder, begin anew
  --restore <file>      begin with the state of a backup; needs a new data folder
  --json                progress as one JSON object a line
  --help                this text

Exit codes: 0 stopped as asked, 1 failed, 2 wrong flags, 3 a port is in use,
            4 the data folder is of another version, not ours, or not new for --restore,
            5 another box uses the data folder
`;

/** Reads the arguments. The error names the flag and what it takes. */
export function parseFlags(
  args: readonly string[],
  defaultDataDirectory: string,
): Result<BoxFlags, string> {
  let values: Record<string, string | boolean | undefined>;
  try {
    const text = { type: 'string' } as const;
    const yes = { type: 'boolean' } as const;
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        port: text,
        'data-dir': text,
        agents: text,
        'public-agents': text,
        'master-port': text,
        'marathon-port': text,
        'dns-port': text,
        fresh: yes,
        restore: text,
        json: yes,
        help: { ...yes, short: 'h' },
      },
    }));
  } catch (error) {
    return err(errorText(error));
  }
  const problems: string[] = [];
  const number = (flag: string, byDefault: number, greatest: number): number => {
    const given = values[flag];
    if (given === undefined) return byDefault;
    const parsed = /^\d+$/.test(String(given)) ? Number(given) : Number.NaN;
    if (parsed >= 0 && parsed <= greatest) return parsed;
    problems.push(`--${flag} takes a whole number from 0 to ${greatest}, not '${String(given)}'`);
    return byDefault;
  };
  const flags: BoxFlags = {
    port: number('port', 8180, 65_535),
    dataDirectory: String(values['data-dir'] ?? defaultDataDirectory),
    agents: number('agents', 2, AGENTS_MAX),
    publicAgents: number('public-agents', 1, AGENTS_MAX),
    masterPort: number('master-port', 0, 65_535),
    marathonPort: number('marathon-port', 0, 65_535),
    dnsPort: number('dns-port', 0, 65_535),
    fresh: values['fresh'] === true,
    restore: values['restore'] === undefined ? undefined : String(values['restore']),
    json: values['json'] === true,
    help: values['help'] === true,
  };
  if (flags.dataDirectory === '') problems.push('--data-dir takes the path of a folder');
  if (flags.agents + flags.publicAgents === 0)
    problems.push('--agents and --public-agents must not both be 0');
  return problems.length === 0 ? ok(flags) : err(problems.join('\n'));
}

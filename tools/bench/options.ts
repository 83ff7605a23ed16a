/** Options of benchmarks: `--name=value` or `--name value`. */

/** Options that have a value. */
const VALUED: ReadonlySet<string> = new Set(['--agents', '--area', '--backoff-ms']);

export interface Arguments {
  /** What is neither an option nor the value of one. */
  readonly names: readonly string[];
  /** By the option's name with its dashes. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Reads a command line. */
export function parseArguments(args: readonly string[]): Arguments {
  const names: string[] = [];
  const values = new Map<string, string[]>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const [option = '', given] = arg.split('=', 2);
    if (!arg.startsWith('--')) names.push(arg);
    else if (VALUED.has(option)) {
      const value = given ?? args[++index] ?? '';
      values.set(option, [...(values.get(option) ?? []), value]);
    }
  }
  return { names, values };
}

/** A whole number above 0 that an option gives; undefined without it. Throws for anything else. */
export function numberOption(name: string): number | undefined {
  const [text] = parseArguments(process.argv.slice(2)).values.get(`--${name}`) ?? [];
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`);
  return Number(text);
}

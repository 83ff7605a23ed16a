/**
 * The layout of help: description, usage, examples, commands, arguments and options (name on one line, what it
 * does indented on the next), and the way to more help.
 */

export interface HelpEntry {
  readonly name: string;
  readonly description: string;
}

export interface HelpPage {
  readonly description: string;
  readonly usage: string;
  readonly examples?: readonly string[];
  readonly commands: readonly HelpEntry[];
  /** Those words behind the command that do not explain themselves. */
  readonly arguments?: readonly HelpEntry[];
  readonly options: readonly HelpEntry[];
  /** The words after which `<command> --help` gives more. */
  readonly path: string;
}

/** The whole page. */
export function renderHelp(page: HelpPage): string {
  const parts = [page.description, `Usage:\n    ${page.usage}`];
  if (page.examples !== undefined && page.examples.length > 0) {
    parts.push(`Examples:\n${page.examples.map((line) => `    ${line}`).join('\n')}`);
  }
  if (page.commands.length > 0) parts.push(`Commands:\n${entries(page.commands)}`);
  if (page.arguments !== undefined && page.arguments.length > 0) {
    parts.push(`Arguments:\n${entries(page.arguments)}`);
  }
  if (page.options.length > 0) parts.push(`Options:\n${entries(page.options)}`);
  if (page.commands.length > 0) {
    parts.push(`Use "${page.path} <command> --help" for more information about a command.`);
  }
  return `${parts.join('\n\n')}\n`;
}

function entries(list: readonly HelpEntry[]): string {
  return list.map((entry) => `    ${entry.name}\n        ${entry.description}`).join('\n');
}

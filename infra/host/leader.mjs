// Asks masters who leads, until one says it. Arguments: addresses as host:port. Prints the leader's host, or nothing.
const ANSWER_MS = 5_000;

for (const address of process.argv.slice(1)) {
  try {
    const answer = await fetch(`http://${address}/redirect`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const leader = /^(?:https?:)?\/\/([^:/]+)/.exec(answer.headers.get('location') ?? '')?.[1];
    if (leader === undefined) continue;
    process.stdout.write(leader);
    break;
  } catch {
    // The next one may know.
  }
}

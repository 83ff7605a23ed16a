/** Names and ids of the fixture cluster. */

export function hex(value: number): string {
  return (0x5f_2c_9a_14 + value * 7_919).toString(16).slice(0, 8);
}

export function hostname(index: number): string {
  return `node-${String(index + 1).padStart(2, '0')}.dc1`;
}

export function agentId(index: number): string {
  return `5f2c9a14-0c1e-4a57-9d43-7b6b7a1d2f10-S${index}`;
}
